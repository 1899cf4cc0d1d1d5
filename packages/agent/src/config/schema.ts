// The shape of the configuration file: every key with its type and its default, and nothing that isn't listed here.
import {
  acceptableProofs,
  defaultBudget,
  defaultDrillRules,
  defaultHeartbeatDetection,
  defaultPollDetection,
  defaultReturnRules,
  defaultSightRules,
  manualFencer,
} from '@liberator/core';
import * as z from 'zod';
import type { Surroundings } from '../process/surroundings.ts';
import type { Config } from './config.ts';
import { fencer } from './fencers/fencer.ts';
import { count, duration, optionalDuration, size, text } from './values.ts';

/** A name as Kubernetes takes it for namespaces and Leases. */
const kubernetesName = () =>
  text()
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'expected a Kubernetes name: a-z, 0-9, "-" and "."');

/** It is sent with every request, for the API server's audit log. */
const userAgentWord = () =>
  text()
    .max(128)
    .regex(/^[-\w.:@/]+$/, 'expected letters, digits and "-_.:@/"');

/** Policies name it, and so do metrics, records and Events. */
const fencerName = () =>
  text()
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'expected a name: a-z, 0-9 and "-"');

const labelRequirement = z.strictObject({
  key: text(),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
  values: z.array(z.string()).optional(),
});

const heartbeat = z.strictObject({
  mode: z.literal('heartbeat').optional(),
  suspectAfter: duration(defaultHeartbeatDetection.suspectAfterMs),
  deadAfter: duration(defaultHeartbeatDetection.deadAfterMs),
  deadUnprobedAfter: duration(defaultHeartbeatDetection.deadUnprobedAfterMs),
  silentProbes: count(1).default(defaultHeartbeatDetection.silentProbes),
});

const poll = z.strictObject({
  mode: z.literal('poll'),
  interval: duration(defaultPollDetection.intervalMs),
  threshold: count(1).default(defaultPollDetection.threshold),
});

const rung = z.strictObject({
  fencer: text(),
  for: optionalDuration(),
});

const fencing = z
  .strictObject({
    ladder: z.array(rung).min(1).optional(),
    drivers: z.array(text()).min(1).optional(),
    proof: z.enum(['required', 'optional']).default('required'),
    accept: z.array(z.enum(acceptableProofs)).min(1).optional(),
    giveUpAfter: optionalDuration(),
    afterwards: z.enum(['leave-off', 'power-on']).default('leave-off'),
    hungAfter: optionalDuration(),
    maxCheckAge: optionalDuration(),
  })
  .transform((found) =>
    found.ladder === undefined && found.drivers === undefined
      ? { ...found, ladder: [{ fencer: manualFencer.name }] }
      : found,
  );

/** A duration alone is how often. */
const drill = z.preprocess(
  (found) => (typeof found === 'string' ? { every: found } : found),
  z.strictObject({
    enabled: z.boolean().default(true),
    every: duration(defaultDrillRules.everyMs),
    concurrency: count(1).default(defaultDrillRules.concurrency),
    timeout: optionalDuration(),
  }),
);

const policy = z.strictObject({
  name: text(),
  nodes: z.strictObject({
    all: z.literal(true).optional(),
    matchLabels: z.record(z.string(), z.string()).optional(),
    matchExpressions: z.array(labelRequirement).optional(),
  }),
  detection: z.discriminatedUnion('mode', [heartbeat, poll]).prefault({}),
  controlPlane: z.boolean().default(false),
  evidence: z.enum(['suspected', 'unreachable', 'proven']).default('unreachable'),
  budget: z
    .strictObject({
      maxDead: count(1).default(defaultBudget.maxDead),
      maxDeadPercent: count(1).max(100).default(defaultBudget.maxDeadPercent),
      window: duration(defaultBudget.windowMs),
      maxRunning: count(1).default(defaultBudget.maxRunning),
    })
    .prefault({}),
  fencing: fencing.prefault({}),
  node: z.enum(['delete', 'keep']).default('delete'),
});

function schemaIn(surroundings: Surroundings) {
  const namespace = kubernetesName();
  return z.strictObject({
    namespace: surroundings.namespace === undefined ? namespace : namespace.default(surroundings.namespace),
    identity: userAgentWord().default(surroundings.identity),
    mode: z.enum(['act', 'observe']).default('act'),
    election: z
      .strictObject({
        name: kubernetesName().default('liberator'),
        leaseDuration: duration(15_000),
        renewDeadline: duration(10_000),
        retryPeriod: duration(2_000),
      })
      .prefault({}),
    http: z
      .strictObject({ address: text().default('0.0.0.0'), port: z.int().min(0).max(65_535).default(8080) })
      .prefault({}),
    log: z
      .strictObject({
        level: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
        format: z.enum(['json', 'pretty']).default('json'),
      })
      .prefault({}),
    journal: z
      .strictObject({
        file: text().optional(),
        size: size('64MiB'),
        keep: z.int().min(2).max(100).default(3),
      })
      .prefault({}),
    probe: z
      .strictObject({
        enabled: z.boolean().default(true),
        interval: duration(2_000),
        timeout: duration(3_000),
      })
      .prefault({}),
    heartbeatInterval: duration(defaultSightRules.heartbeatIntervalMs),
    returning: z
      .strictObject({
        dwell: duration(defaultReturnRules.dwellMs),
        restore: z.boolean().default(defaultReturnRules.restore),
        restoredTaints: z.array(text()).default([...defaultReturnRules.restoredTaints]),
        keepFor: duration(defaultReturnRules.keepsakeMs),
      })
      .prefault({}),
    drill: drill.prefault({}),
    fencers: z.record(fencerName(), fencer).default({}),
    policies: z.array(policy).min(1),
  });
}

type Issues = readonly z.core.$ZodIssue[];

/** Checks types, names and ranges, one key at a time, and fills in defaults. */
export function matchSchema(
  input: unknown,
  surroundings: Surroundings,
): { readonly config: Config } | { readonly issues: Issues } {
  const result = schemaIn(surroundings).safeParse(input, { reportInput: true });
  return result.success ? { config: result.data } : { issues: result.error.issues };
}

/** The keys that the mapping at `path` of `input` may have; empty when there is no mapping there. */
export function keysAt(path: readonly PropertyKey[], input: unknown): readonly string[] {
  let schema: unknown = schemaIn({ namespace: undefined, identity: '' });
  let value = input;
  for (const step of path) {
    schema = childOf(bare(schema, value), step);
    value = (value as Readonly<Record<PropertyKey, unknown>> | undefined)?.[step];
  }
  const mapping = bare(schema, value);
  return mapping instanceof z.ZodObject ? Object.keys(mapping.shape) : [];
}

/** Every key that a file may have, as a path: `policies[].detection.deadAfter`. */
export function allKeys(): readonly string[] {
  return keysBelow(schemaIn({ namespace: undefined, identity: '' }), '');
}

function keysBelow(schema: unknown, path: string): readonly string[] {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodArray) return keysBelow(inner.element, `${path}[]`);
  if (inner instanceof z.ZodRecord) return keysBelow(inner.valueType, `${path}.NAME`);
  if (inner instanceof z.ZodDiscriminatedUnion) {
    return [...new Set(inner.options.flatMap((option: unknown) => keysBelow(option, path)))];
  }
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries(inner.shape).flatMap(([key, child]) => {
    const childPath = path === '' ? key : `${path}.${key}`;
    return [childPath, ...keysBelow(child, childPath)];
  });
}

/** Without defaults around it, and with a union decided by the value; by its first kind where the value doesn't say. */
function bare(schema: unknown, value: unknown): unknown {
  const inner = unwrapped(schema);
  if (!(inner instanceof z.ZodDiscriminatedUnion)) return inner;
  const { discriminator } = inner.def;
  const options: readonly unknown[] = inner.options;
  const said = (value as Readonly<Record<string, unknown>> | undefined)?.[discriminator];
  return options.find((option) => isKind(option, discriminator, said)) ?? options[0];
}

function isKind(option: unknown, discriminator: string, said: unknown): boolean {
  const kind = option instanceof z.ZodObject ? unwrapped(option.shape[discriminator]) : undefined;
  return kind instanceof z.ZodLiteral && kind.values.has(said as string);
}

function unwrapped(schema: unknown): unknown {
  const wrapped =
    schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional;
  // What is made of what was found, or what was found as it is.
  if (schema instanceof z.ZodPipe) {
    return unwrapped(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
  }
  return wrapped ? unwrapped(schema.unwrap()) : schema;
}

function childOf(schema: unknown, step: PropertyKey): unknown {
  if (schema instanceof z.ZodArray) return schema.element;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return schema instanceof z.ZodObject ? schema.shape[String(step)] : undefined;
}
