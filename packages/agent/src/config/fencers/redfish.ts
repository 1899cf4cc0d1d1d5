// The keys of a fencer that talks to the machine's own management controller.
import { addressFault, hostPatternFault, kubeletSays } from '@liberator/core';
import * as z from 'zod';
import { formatDuration } from '../../text/duration.ts';
import type { Problem } from '../problem.ts';
import { optionalDuration, text } from '../values.ts';
import { type CommonConfig, common, type DriverSchema, file, secretFile, template } from './common.ts';

export interface RedfishConfig extends CommonConfig {
  readonly driver: 'redfish';
  /** A template: `https://{annotation.example.com/bmc}`. */
  readonly address: string;
  /** Which hosts the address may name. */
  readonly hosts?: readonly string[] | undefined;
  /** Files, as templates. */
  readonly username: string;
  readonly password: string;
  readonly ca?: string | undefined;
  /** A template: the system's name below `/redfish/v1/Systems`. */
  readonly system?: string | undefined;
  /** In milliseconds. */
  readonly settle?: number | undefined;
  /** In milliseconds. */
  readonly requestTimeout?: number | undefined;
}

/** What one answer may take where nothing is said of it. */
const usualTimeoutMs = 180_000;

const address = (): z.ZodType<string> =>
  text().superRefine((found, context) => {
    const fault = addressFault(found);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: `expected an address: ${fault}` });
  });

const host = (): z.ZodType<string> =>
  text().superRefine((found, context) => {
    const fault = hostPatternFault(found);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: `expected a host: ${fault}` });
  });

export const redfish: DriverSchema<RedfishConfig> = z.strictObject({
  driver: z.literal('redfish'),
  ...common,
  address: address(),
  hosts: z.array(host()).min(1).optional(),
  username: secretFile(),
  password: secretFile(),
  ca: file().optional(),
  system: template().optional(),
  settle: optionalDuration(),
  requestTimeout: optionalDuration(),
});

/** What contradicts itself in the keys of one fencer; paths begin at the fencer. */
export function redfishContradictions(config: RedfishConfig): readonly Problem[] {
  const { hosts, ca, timeout = usualTimeoutMs, settle, requestTimeout } = config;
  const free = kubeletSays(config.address);
  const problems: Problem[] = [];
  if (hosts === undefined && free.length > 0) {
    const why = `a kubelet may set ${free.join(', ')} itself, and so have the credentials sent anywhere`;
    const hint = 'list the hosts that may be meant, or use a label under node-restriction.kubernetes.io/';
    problems.push({
      path: ['address'],
      message: `expected hosts beside it, since ${why}; found none: ${hint}`,
    });
  }
  if (ca !== undefined && config.address.startsWith('http:')) {
    problems.push({ path: ['ca'], message: 'expected an address with https beside it, found http' });
  }
  for (const [key, found] of Object.entries({ settle, requestTimeout })) {
    if (found === undefined) continue;
    if (found <= 0) problems.push({ path: [key], message: 'expected more than 0s, found 0s' });
    else if (found >= timeout) {
      const message = `expected less than timeout (${formatDuration(timeout)}), found ${formatDuration(found)}`;
      problems.push({ path: [key], message });
    }
  }
  return problems;
}
