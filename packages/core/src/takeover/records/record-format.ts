// What a stored record must look like, field by field. Whoever wrote it may have been an older version, a newer one, or a
// human with an editor: nothing of it is used before all of it is known to be what it says.

import type { Evidence } from '../../evidence/judgement.ts';
import type { MachineIdentity } from '../../evidence/machine.ts';
import type { NotedNode, StorageClient } from '../../evidence/noted-node.ts';
import type { Climb, RungRecord } from '../../fencing/ladder.ts';
import type { FenceEvidence, FenceProof } from '../../fencing/proof.ts';
import type { Taint } from '../../kubernetes/objects.ts';
import type { AffectedPod, AffectedVolume, UnwantedPod } from '../../pods/affected-pod.ts';
import type { NamedVerdict } from '../../policy/decision.ts';
import type { GuardVerdict } from '../../policy/guard.ts';
import type { Keepsake } from '../keepsake.ts';
import type {
  GivenBack,
  Isolation,
  IsolationProof,
  PolicyChange,
  RecordedPolicy,
  ReturnRecord,
  StepRecord,
  TakeoverOrder,
  TakeoverRecord,
  TakeoverStep,
} from '../record.ts';
import { fencingFields } from './fencing-shapes.ts';
import {
  count,
  exactly,
  fields,
  flag,
  list,
  mapping,
  name,
  number,
  only,
  optional,
  type Shape,
  tagged,
  text,
  time,
  word,
} from './shape.ts';

/** The version of the format that is written here. */
const version = 1;

/** `leaseTransitions` has 32 bits, and the epoch after this one must fit, too. */
const highestEpoch = 2 ** 31 - 2;

const epoch = count(highestEpoch);
const texts = mapping(text);

const proof: Shape<FenceProof> = word<FenceProof>({
  'powered-off': true,
  rebooted: true,
  'instance-gone': true,
  isolated: true,
  'self-fenced': true,
  'confirmed-by-human': true,
  none: true,
});

const step = fields<StepRecord>({
  startedAt: time,
  epoch,
  endedAt: optional(time),
  outcome: optional(word({ done: true, skipped: true })),
  detail: optional(text),
  spentMs: optional(count(Number.MAX_SAFE_INTEGER)),
  left: optional(list(text)),
});

const volume = fields<AffectedVolume>({
  claim: name,
  volume: optional(name),
  pinnedTo: optional(list(text)),
});

const pod = fields<AffectedPod>({
  namespace: name,
  name,
  uid: name,
  statefulSet: optional(name),
  volumes: list(volume),
  bare: optional(exactly(true)),
  kept: optional(exactly(true)),
  replacement: optional(
    fields<NonNullable<AffectedPod['replacement']>>({ uid: name, node: name, readyAt: time }),
  ),
  unwanted: optional(
    word<UnwantedPod>({ 'scaled-down': true, 'set-deleted': true, 'namespace-deleted': true }),
  ),
  handedTo: optional(name),
});

const verdict: Shape<GuardVerdict> = tagged<'outcome', GuardVerdict>('outcome', {
  pass: fields<Extract<GuardVerdict, { outcome: 'pass' }>>({ outcome: exactly('pass') }),
  hold: fields<Extract<GuardVerdict, { outcome: 'hold' }>>({
    outcome: exactly('hold'),
    reason: text,
    until: optional(number),
  }),
});

const noted = fields<NotedNode>({
  machine: fields<MachineIdentity>({ systemUuid: text, machineId: text, providerId: text }),
  addresses: list(fields<NotedNode['addresses'][number]>({ type: text, address: text })),
  labels: texts,
  annotations: texts,
  storage: optional(
    list(fields<StorageClient>({ driver: text, nodeId: text, networkFenceClass: text, cidrs: list(text) })),
  ),
});

const keepsake = fields<Keepsake>({
  labels: texts,
  annotations: texts,
  taints: list(
    fields<Taint>({
      key: name,
      value: optional(text),
      effect: word({ NoSchedule: true, PreferNoSchedule: true, NoExecute: true }),
      timeAdded: optional(text),
    }),
  ),
  unschedulable: flag,
});

const policy = fields<RecordedPolicy>({
  name: text,
  node: word({ delete: true, keep: true }),
  ...fencingFields,
  drivers: list(text),
});

const spent = count(Number.MAX_SAFE_INTEGER);

const climb = fields<Climb>({
  round: spent,
  rung: spent,
  rungs: list(
    fields<RungRecord>({
      fencer: text,
      round: spent,
      startedAt: time,
      epoch,
      beganMs: spent,
      overMs: optional(spent),
      end: optional(word({ failed: true, 'not-accepted': true, partial: true, 'time-out': true })),
      detail: optional(text),
    }),
  ),
});

const givenBack = fields<GivenBack>({
  state: word({ begun: true, done: true, failed: true }),
  at: time,
  epoch,
  spentMs: optional(spent),
  detail: optional(text),
});

const evidence = list(fields<FenceEvidence>({ witness: text, said: text, at: text }));

const isolation = fields<Isolation>({
  proofs: list(
    fields<IsolationProof>({ fencer: text, csiDrivers: list(text), evidence: optional(evidence) }),
  ),
  beyond: list(text),
  freed: optional(exactly(true)),
  over: optional(text),
});

const record = fields<TakeoverRecord>({
  version: exactly(version),
  id: name,
  deathId: name,
  node: fields<TakeoverRecord['node']>({ name, uid: name, bootId: text }),
  noted: optional(noted),
  order: optional(fields<TakeoverOrder>({ epoch, number: count(Number.MAX_SAFE_INTEGER) })),
  lastHeartbeat: text,
  epoch,
  leader: optional(text),
  openedAt: time,
  evidence: word<Evidence>({ none: true, suspected: true, unreachable: true, proven: true }),
  hung: optional(exactly(true)),
  reasons: list(text),
  verdicts: list(fields<NamedVerdict>({ guard: text, verdict })),
  policy,
  policyChanges: optional(list(fields<PolicyChange>({ at: time, epoch, from: policy, to: policy }))),
  climb: optional(climb),
  proof: optional(proof),
  fencer: optional(text),
  proofEvidence: optional(evidence),
  isolatedFrom: optional(list(text)),
  isolation: optional(isolation),
  confirmedBy: optional(text),
  pods: list(pod),
  steps: only<Partial<Record<TakeoverStep, StepRecord>>>({
    claim: optional(step),
    cordon: optional(step),
    fence: optional(step),
    recheck: optional(step),
    release: optional(step),
    remove: optional(step),
    verify: optional(step),
  }),
  undoing: optional(text),
  overtaken: optional(text),
  powerOn: optional(givenBack),
  storageBack: optional(givenBack),
  left: optional(list(text)),
  unmarked: optional(text),
  outOfService: optional(flag),
  nodeGone: optional(flag),
  keepsake: optional(keepsake),
  keepsakeAgeMs: optional(count(Number.MAX_SAFE_INTEGER)),
  return: optional(
    fields<ReturnRecord>({
      uid: name,
      bootId: text,
      seenAt: time,
      restored: flag,
      quarantined: flag,
      welcomed: flag,
      welcomedAt: optional(time),
      detail: text,
    }),
  ),
  windowPassed: optional(flag),
  result: optional(word({ recovered: true, incomplete: true, undone: true, overtaken: true })),
  closedAt: optional(time),
});

/** What the text of a stored record came to. */
export type RecordReading =
  | { readonly record: TakeoverRecord }
  | {
      /** `newer`: of a later version of the format. `damaged`: of none that ever was. */
      readonly kind: 'newer' | 'damaged';
      /** What is wrong with it, for people. */
      readonly problem: string;
      /** The node that it is about, if so much can be read. */
      readonly node: string | undefined;
    };

/** Takes the text for what it is: a record that is right in every field, or none at all. */
export function readRecordText(stored: string | undefined): RecordReading {
  if (stored === undefined) return { kind: 'damaged', problem: 'it holds no record', node: undefined };
  let value: unknown;
  try {
    value = JSON.parse(stored);
  } catch {
    return { kind: 'damaged', problem: 'its record is not JSON', node: undefined };
  }
  const node = nodeIn(value);
  const written = versionIn(value);
  if (written !== undefined && written > version) {
    const problem = `its record has version ${written}, and this program knows none above ${version}`;
    return { kind: 'newer', problem, node };
  }
  const problem = record.fault(value, '');
  // The very value, so that fields of a later version are there still when it is written again.
  return problem === undefined ? { record: value as TakeoverRecord } : { kind: 'damaged', problem, node };
}

/**
 * The highest epoch that a stored record names anywhere, even one that can't be read: an epoch must never go back. Looks
 * at the text, since half of a record may be all that is left. Undefined when it names none.
 */
export function highestEpochIn(stored: string | undefined): number | undefined {
  const named = [...(stored ?? '').matchAll(/"epoch"\s*:\s*(\d+)(?![\d.eE])/g)]
    .map(([, digits]) => Number(digits))
    .filter((one) => one <= highestEpoch);
  return named.length === 0 ? undefined : named.reduce((a, b) => Math.max(a, b));
}

function versionIn(value: unknown): number | undefined {
  const written = fieldOf(value, 'version');
  return Number.isSafeInteger(written) ? Number(written) : undefined;
}

function nodeIn(value: unknown): string | undefined {
  const written = fieldOf(fieldOf(value, 'node'), 'name');
  return typeof written === 'string' && written !== '' ? written : undefined;
}

function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
