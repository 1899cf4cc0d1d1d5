// Reads lines of a journal back: what is not what a line has to be is refused, with what was expected and what was found. Pure.
import type { SeenDeath } from './evidence/deaths.ts';
import type { NodeFact, ProbeResult, ReadyStatus } from './evidence/fact.ts';
import type { Hearing } from './evidence/hearing.ts';
import type { Health, NodeState } from './evidence/judgement.ts';
import type { MaintenanceSight } from './evidence/maintenance-sight.ts';
import type { Detection } from './evidence/rules.ts';
import type { SightRules } from './evidence/sight.ts';
import { cutNode } from './journal-cut.ts';
import {
  type JournalEntry,
  type JournalHead,
  journalVersion,
  type KnownJournalNode,
  type KnownTerm,
  type KnownWorld,
} from './journal-format.ts';
import type { Node, Taint } from './kubernetes/objects.ts';
import type { UndoneTakeovers } from './policy/guard.ts';
import type { LabelRequirement, NodeSelector } from './policy/node-selector.ts';
import type { Budget, Policy } from './policy/policy.ts';
import type { StoredRecord, UnreadableRecord } from './takeover/cluster.ts';
import { fencingRules } from './takeover/records/fencing-shapes.ts';
import { readRecordText } from './takeover/records/record-format.ts';
import {
  count,
  exactly,
  fields,
  flag,
  list,
  mapping,
  name,
  number,
  optional,
  type Shape,
  tagged,
  text,
  time,
  word,
} from './takeover/records/shape.ts';
import type { Fact, KnownCheck } from './world-state.ts';

/** Why a line is none of a journal. */
export class JournalLineError extends Error {
  override readonly name = 'JournalLineError';
  /** Stable, for machines. */
  readonly code = 'JOURNAL_LINE';
}

/**
 * The first line of a file, read back.
 *
 * @throws {@link JournalLineError} with what was expected and what was found.
 */
export function readJournalHead(line: string): JournalHead {
  const value = parsed(line);
  const { liberator, version } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (liberator !== 'journal')
    throw new JournalLineError('expected the head of a journal, found something else');
  if (version !== journalVersion) {
    throw new JournalLineError(
      `expected a journal of version ${journalVersion}, found version ${JSON.stringify(version)}`,
    );
  }
  return checked(head, value);
}

/**
 * Any line after the first, read back.
 *
 * @throws {@link JournalLineError} with what was expected and what was found.
 */
export function readJournalLine(line: string): JournalEntry {
  const value = parsed(line);
  if (!Array.isArray(value)) throw new JournalLineError('expected a list, found none');
  const [at, kind, ...parts] = value as readonly unknown[];
  const time = checked(number, at, 'its time');
  const read = typeof kind === 'string' && Object.hasOwn(readers, kind) ? readers[kind] : undefined;
  if (read === undefined)
    throw new JournalLineError(`expected a kind of fact, found ${JSON.stringify(kind)}`);
  return read(parts, time);
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new JournalLineError('expected JSON, found something else');
  }
}

function checked<T>(shape: Shape<T>, value: unknown, at: string = ''): T {
  const problem = shape.fault(value, at);
  if (problem !== undefined) throw new JournalLineError(problem);
  return value as T;
}

const texts = list(text);
const whole = count(Number.MAX_SAFE_INTEGER);
const orNull = <T>(shape: Shape<T>): Shape<T | null> => ({
  fault: (value, at) => (value === null ? undefined : shape.fault(value, at)),
});

const probeResult = word<ProbeResult>({
  answered: true,
  mute: true,
  refused: true,
  silent: true,
  failed: true,
});
const workState = word<'works' | 'waits' | 'over'>({ works: true, waits: true, over: true });
const checkOutcome = word<KnownCheck['outcome']>({ ready: true, 'not-ready': true, 'no-device': true });
const readyStatus = word<ReadyStatus>({ True: true, False: true, Unknown: true, absent: true });

/** As {@link cutNode} leaves it. */
interface JournalNode {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly taints?: readonly Taint[]; readonly unschedulable?: true };
  readonly status: {
    readonly conditions?: readonly JournalCondition[];
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly daemonEndpoints?: { readonly kubeletEndpoint: { readonly Port: number } };
    readonly nodeInfo: {
      readonly bootID: string;
      readonly machineID?: string;
      readonly systemUUID?: string;
    };
  };
}

interface JournalCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly lastHeartbeatTime?: string;
  readonly lastTransitionTime?: string;
}

const node = fields<JournalNode>({
  metadata: fields<JournalNode['metadata']>({
    name,
    uid: name,
    resourceVersion: text,
    labels: optional(mapping(text)),
    annotations: optional(mapping(text)),
  }),
  spec: fields<JournalNode['spec']>({
    taints: optional(
      list(
        fields<Taint>({
          key: text,
          value: optional(text),
          effect: word({ NoSchedule: true, PreferNoSchedule: true, NoExecute: true }),
          timeAdded: optional(text),
        }),
      ),
    ),
    unschedulable: optional(exactly(true)),
  }),
  status: fields<JournalNode['status']>({
    conditions: optional(
      list(
        fields<JournalCondition>({
          type: text,
          status: word({ True: true, False: true, Unknown: true }),
          reason: optional(text),
          lastHeartbeatTime: optional(text),
          lastTransitionTime: optional(text),
        }),
      ),
    ),
    addresses: optional(list(fields<{ type: string; address: string }>({ type: text, address: text }))),
    daemonEndpoints: optional(
      fields<{ kubeletEndpoint: { Port: number } }>({
        kubeletEndpoint: fields<{ Port: number }>({ Port: number }),
      }),
    ),
    nodeInfo: fields<JournalNode['status']['nodeInfo']>({
      bootID: text,
      machineID: optional(text),
      systemUUID: optional(text),
    }),
  }),
});

const unreadable = fields<Omit<UnreadableRecord, 'node'> & { readonly node?: string }>({
  name: text,
  node: optional(text),
  kind: word({ newer: true, damaged: true }),
  problem: text,
});

const sight = fields<SightRules>({
  renewalEchoMs: number,
  heartbeatIntervalMs: number,
  togetherMs: number,
});

const selector = fields<NodeSelector>({
  all: optional(exactly(true)),
  matchLabels: optional(mapping(text)),
  matchExpressions: optional(
    list(
      fields<LabelRequirement>({
        key: text,
        operator: word({ In: true, NotIn: true, Exists: true, DoesNotExist: true }),
        values: optional(texts),
      }),
    ),
  ),
});

const detection = tagged<'mode', Detection>('mode', {
  heartbeat: fields<Extract<Detection, { mode: 'heartbeat' }>>({
    mode: exactly('heartbeat'),
    suspectAfterMs: number,
    deadAfterMs: number,
    deadUnprobedAfterMs: number,
    silentProbes: number,
  }),
  poll: fields<Extract<Detection, { mode: 'poll' }>>({
    mode: exactly('poll'),
    intervalMs: number,
    threshold: number,
  }),
});

const policy = fields<Policy>({
  name: text,
  nodes: selector,
  detection,
  controlPlane: flag,
  evidence: word({ suspected: true, unreachable: true, proven: true }),
  budget: fields<Budget>({
    maxDead: number,
    maxDeadPercent: number,
    windowMs: optional(number),
    maxRunning: optional(number),
  }),
  fencing: fencingRules,
  node: word({ delete: true, keep: true }),
});

const head = fields<JournalHead>({
  liberator: exactly('journal'),
  version: exactly(journalVersion),
  program: text,
  identity: text,
  part: whole,
  at: number,
  wall: time,
  since: number,
  mode: word({ act: true, observe: true }),
  policies: list(policy),
  sight,
  guards: texts,
});

const state = fields<StoredState>({
  ready: readyStatus,
  renewTime: optional(text),
  heartbeatAt: number,
  hadLease: flag,
  renewed: flag,
  neverPosted: flag,
  unknownSince: optional(number),
  silentProbes: number,
  lastProbe: optional(fields<{ result: ProbeResult; at: number }>({ result: probeResult, at: number })),
  proof: optional(text),
  nextLookAt: number,
  notReadyCount: optional(number),
  countingSince: optional(number),
  readySince: optional(number),
});

/** As JSON has it: what is undefined is absent. */
type Stored<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

type StoredState = Stored<NodeState>;

const known = fields<KnownWorld>({
  watches: fields<KnownWorld['watches']>({ synced: flag, stale: texts }),
  paused: optional(text),
  blind: texts,
  missedHeartbeats: flag,
  heardMost: flag,
  judgesFrom: number,
  forgetsAt: number,
  leaseHeardAt: optional(number),
  orphanLeases: mapping(text),
  deaths: list(
    fields<SeenDeath>({
      node: text,
      deathId: text,
      since: number,
      lastHeartbeat: text,
      judged: flag,
      proven: flag,
      gone: flag,
    }),
  ),
  term: optional(
    fields<Omit<KnownTerm, 'setAside'> & { readonly setAside: readonly object[] }>({
      epoch: number,
      since: number,
      renewalSeenAt: optional(number),
      unread: texts,
      setAside: list(unreadable),
      work: mapping(word({ works: true, waits: true })),
      takenOverAt: mapping(number),
      proven: texts,
      undone: mapping(fields<UndoneTakeovers>({ count: number, since: number })),
      queue: texts,
      fenceChecks: optional(
        mapping(
          fields<KnownCheck>({ uid: text, outcome: checkOutcome, detail: text, readyAt: optional(number) }),
        ),
      ),
    }) as Shape<KnownTerm>,
  ),
});

const knownNode = fields<
  Stored<Omit<KnownJournalNode, 'node' | 'state' | 'hearing'>> & {
    readonly node: JournalNode;
    readonly state: StoredState;
    readonly hearing: Stored<Hearing>;
  }
>({
  node,
  state,
  hearing: fields<Stored<Hearing>>({
    since: number,
    calledSilent: flag,
    heardAt: optional(number),
    unknownSince: optional(number),
  }),
  health: word<Health>({ alive: true, suspect: true, dead: true, returning: true }),
  maintenance: optional(fields<MaintenanceSight>({ words: text, holdMs: number, seenAt: number, text })),
  lease: optional(text),
  hostHeard: flag,
});

type Reader = (parts: readonly unknown[], at: number) => JournalEntry;

const factOf =
  (read: (parts: readonly unknown[]) => Fact): Reader =>
  (parts, at) => ({ kind: 'fact', at, fact: read(parts) });

const readers: Readonly<Record<string, Reader>> = {
  lease: factOf(([who, renewTime, listed]): NodeFact => {
    const fact = {
      kind: 'lease',
      name: checked(name, who, 'its name'),
      renewTime: checked(orNull(text), renewTime, 'its renewTime') ?? undefined,
    } as const;
    return listed === undefined ? fact : { ...fact, listed: checked(exactly(true), listed, 'listed') };
  }),
  node: factOf(([one]) => ({ kind: 'node', node: checked(node, one, 'its node') as Node })),
  'node-gone': factOf(([who]) => ({ kind: 'node-gone', name: checked(name, who, 'its name') })),
  'lease-gone': factOf(([who]) => ({ kind: 'lease-gone', name: checked(name, who, 'its name') })),
  probe: factOf(([who, uid, result, hostOnly]) => ({
    kind: 'probe',
    name: checked(name, who, 'its name'),
    uid: checked(name, uid, 'its uid'),
    result: checked(probeResult, result, 'its result'),
    ...(hostOnly !== undefined && { hostOnly: checked(exactly(true), hostOnly, 'hostOnly') }),
  })),
  wake: factOf(() => ({ kind: 'wake' })),
  watches: factOf(([synced, stale]) => ({
    kind: 'watches',
    synced: checked(flag, synced, 'synced'),
    stale: checked(texts, stale, 'stale'),
  })),
  pause: factOf(([paused]) => ({
    kind: 'pause',
    paused: checked(orNull(text), paused, 'its reason') ?? undefined,
  })),
  stalled: factOf(([forMs]) => ({ kind: 'stalled', forMs: checked(number, forMs, 'its length') })),
  term: factOf(([epoch]) => ({ kind: 'term', epoch: checked(whole, epoch, 'its epoch') })),
  'term-over': factOf(() => ({ kind: 'term-over' })),
  echo: factOf(([sentAt]) => ({ kind: 'echo', sentAt: checked(number, sentAt, 'sentAt') })),
  unread: factOf(([what]) => ({ kind: 'unread', what: checked(texts, what, 'what') })),
  record: factOf((parts) => ({ kind: 'record', stored: storedOf(parts) })),
  'record-gone': factOf(([id]) => ({ kind: 'record-gone', id: checked(name, id, 'its id') })),
  'set-aside': factOf(([records]) => ({ kind: 'set-aside', records: setAsideOf(records) })),
  work: factOf(([who, state]) => ({
    kind: 'work',
    node: checked(name, who, 'its node'),
    state: checked(workState, state, 'its state'),
  })),
  'fence-check': factOf(([who, uid, fencer, outcome, detail]) => ({
    kind: 'fence-check',
    node: checked(name, who, 'its node'),
    uid: checked(name, uid, 'its uid'),
    fencer: checked(text, fencer, 'its fencer'),
    outcome: checked(checkOutcome, outcome, 'its outcome'),
    detail: checked(text, detail, 'its detail'),
  })),
  gap: ([facts], at) => ({ kind: 'gap', at, facts: checked(whole, facts, 'the number of facts') }),
  known: ([world], at) => {
    const found = checked(known, world, 'known');
    const term = found.term && { ...found.term, setAside: setAsideOf(found.term.setAside) };
    return { kind: 'known', at, world: { ...found, ...(term && { term }) } };
  },
  'known-node': ([one], at) => ({
    kind: 'known-node',
    at,
    node: checked(knownNode, one, 'known-node') as unknown as KnownJournalNode,
  }),
  'known-record': (parts, at) => ({ kind: 'known-record', at, stored: storedOf(parts) }),
  'known-all': (_, at) => ({ kind: 'known-all', at }),
};

function storedOf([record, resourceVersion]: readonly unknown[]): StoredRecord {
  // Read as whoever finds it in a cluster reads it.
  const reading = readRecordText(JSON.stringify(record));
  if (!('record' in reading)) throw new JournalLineError(reading.problem);
  return {
    record: reading.record,
    resourceVersion: checked(text, resourceVersion, 'its resourceVersion'),
    annotations: {},
  };
}

function setAsideOf(records: unknown): readonly UnreadableRecord[] {
  return checked(list(unreadable), records, 'records').map((one) => ({ ...one, node: one.node }));
}
