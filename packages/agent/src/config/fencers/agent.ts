// The keys of a fencer that runs a fence agent of ClusterLabs: IPMI, Proxmox, vSphere, clouds, power strips.
import { type AgentFencerOptions, agentFencerFault } from '@liberator/core';
import * as z from 'zod';
import { formatDuration } from '../../text/duration.ts';
import { duration, text } from '../values.ts';
import { type CommonConfig, common, type DriverSchema, secretFile, template } from './common.ts';

export interface AgentConfig extends CommonConfig {
  readonly driver: 'agent';
  /** An absolute path, or a name. */
  readonly program: string;
  /** Templates, as the agent's metadata names them. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Files, as templates. */
  readonly secretParameters: Readonly<Record<string, string>>;
  /** The hosts that its address may name. */
  readonly hosts?: readonly string[] | undefined;
  /** The only node that it fences. */
  readonly node?: string | undefined;
  /** Names of variables that it gets as they are. */
  readonly environment: readonly string[];
  /** How long the machine has to stay off, in milliseconds. */
  readonly settle: number;
  readonly proof: 'powered-off' | 'isolated';
  /** Only with `isolated`. */
  readonly csiDrivers?: readonly string[] | 'all' | undefined;
}

/** What one answer may take where nothing is said of it. */
const usualTimeoutMs = 60_000;

/** Agents know no types: `lanplus: 1` and `lanplus: true` are what a person would write for `lanplus=1`. */
const parameter = (): z.ZodType<string> =>
  z.preprocess((found) => {
    if (typeof found === 'boolean') return found ? '1' : '0';
    return Number.isInteger(found) ? String(found) : found;
  }, template()) as z.ZodType<string>;

export const agent: DriverSchema<AgentConfig> = z
  .strictObject({
    driver: z.literal('agent'),
    ...common,
    program: text(),
    parameters: z.record(text(), parameter()),
    secretParameters: z.record(text(), secretFile()).default({}),
    hosts: z.array(text()).min(1).optional(),
    node: text().optional(),
    environment: z.array(text()).default([]),
    settle: duration(3_000),
    proof: z.enum(['powered-off', 'isolated']).default('powered-off'),
    csiDrivers: z.union([z.literal('all'), z.array(text()).min(1)]).optional(),
  })
  .superRefine((config, context) => {
    const fault = agentFencerFault(agentOptions('agent', config));
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
    const { settle, timeout = usualTimeoutMs } = config;
    if (settle >= timeout) {
      const message = `expected less than timeout (${formatDuration(timeout)}), found ${formatDuration(settle)}`;
      context.addIssue({ code: 'custom', path: ['settle'], message });
    }
    if (config.proof === 'powered-off' && config.csiDrivers !== undefined) {
      const message = 'expected nothing, since a machine without power writes to no volume; found some';
      context.addIssue({ code: 'custom', path: ['csiDrivers'], message });
    }
  });

/** As core takes them. */
export function agentOptions(name: string, config: AgentConfig): AgentFencerOptions {
  const { program, parameters, secretParameters, hosts, node, environment, settle, timeout, csiDrivers } =
    config;
  const options = {
    name,
    program,
    parameters,
    secretParameters,
    environment,
    settleMs: settle,
    ...(hosts !== undefined && { hosts }),
    ...(node !== undefined && { node }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
  };
  return config.proof === 'isolated'
    ? { ...options, proof: 'isolated', csiDrivers: csiDrivers ?? [] }
    : options;
}
