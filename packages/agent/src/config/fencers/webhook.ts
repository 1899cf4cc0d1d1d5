// The keys of a fencer that asks a program of the operator's own.
import {
  acceptableProofs,
  hostPatternFault,
  kubeletSays,
  type WebhookOptions,
  webhookUrlFault,
} from '@liberator/core';
import * as z from 'zod';
import { formatDuration } from '../../text/duration.ts';
import { optionalDuration, text } from '../values.ts';
import { type CommonConfig, common, type DriverSchema, secretFile } from './common.ts';

export interface WebhookConfig extends CommonConfig {
  readonly driver: 'webhook';
  /** A template. */
  readonly url: string;
  readonly hosts?: readonly string[] | undefined;
  /** A file, as a template. */
  readonly secret: string;
  readonly answers: NonNullable<WebhookOptions['answers']>;
  /** A file, as a template. */
  readonly ca?: string | undefined;
  readonly proofs: NonNullable<WebhookOptions['proofs']>;
  readonly unfences: boolean;
  /** Keys. */
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
  /** Milliseconds. */
  readonly requestTimeout?: number | undefined;
  readonly pollFor?: number | undefined;
}

/** What one answer may take where nothing is said of it. */
const usualTimeoutMs = 60_000;

const url = (): z.ZodType<string> =>
  text().superRefine((found, context) => {
    const fault = webhookUrlFault(found);
    if (fault !== undefined)
      context.addIssue({ code: 'custom', message: `expected the URL of a webhook: ${fault}` });
  });

const host = (): z.ZodType<string> =>
  text().superRefine((found, context) => {
    const fault = hostPatternFault(found);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: `expected a host: ${fault}` });
  });

export const webhook: DriverSchema<WebhookConfig> = z
  .strictObject({
    driver: z.literal('webhook'),
    ...common,
    url: url(),
    hosts: z.array(host()).min(1).optional(),
    secret: secretFile(),
    answers: z.enum(['signed', 'tls']).default('signed'),
    ca: secretFile().optional(),
    proofs: z.array(z.enum(acceptableProofs)).min(1).default(['powered-off']),
    unfences: z.boolean().default(false),
    labels: z.array(text()).default([]),
    annotations: z.array(text()).default([]),
    requestTimeout: optionalDuration(),
    pollFor: optionalDuration(),
  })
  .superRefine((found, context) => {
    const free = kubeletSays(hostOf(found.url));
    if (found.hosts === undefined && free.length > 0) {
      const message = `expected the hosts that url may name, since a kubelet may set ${free.join(', ')} itself; found none`;
      context.addIssue({ code: 'custom', path: ['hosts'], message });
    }
    const { requestTimeout, pollFor, timeout = usualTimeoutMs } = found;
    for (const [key, ms] of Object.entries({ requestTimeout, pollFor })) {
      if (ms === undefined || ms < timeout) continue;
      const message = `expected less than timeout (${formatDuration(timeout)}), found ${formatDuration(ms)}`;
      context.addIssue({ code: 'custom', path: [key], message });
    }
    const isPlain = found.url.startsWith('http:');
    if (isPlain && found.answers === 'tls') {
      context.addIssue({
        code: 'custom',
        path: ['answers'],
        message: 'expected signed, since url has no TLS; found tls',
      });
    }
    if (isPlain && found.ca !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['ca'],
        message: 'expected nothing, since url has no TLS; found a file',
      });
    }
  });

/** What comes before the path: elsewhere a kubelet has no say at all. */
function hostOf(found: string): string {
  return /^https?:\/\/[^/?#]*/.exec(found)?.[0] ?? found;
}
