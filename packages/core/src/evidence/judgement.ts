// The state machine of one node's health. Pure: observations and a time go in, a state and an assessment come out.

import type { Observation, ProbeResult, ReadyStatus } from './fact.ts';
import {
  type Detection,
  defaultHeartbeatDetection,
  type HeartbeatDetection,
  type PollDetection,
} from './rules.ts';

/** Where a node stands. `returning`: it lives, was taken over before, and is not trusted again yet. */
export type Health = 'alive' | 'suspect' | 'dead' | 'returning';

/**
 * How much stands behind a health state.
 *
 * - `none`: nothing speaks against the node.
 * - `suspected`: its heartbeats or its Ready condition do, nobody asked its host.
 * - `unreachable`: its host is silent as well.
 * - `proven`: a fence device or a human vouches for it.
 */
export type Evidence = 'none' | 'suspected' | 'unreachable' | 'proven';

/** Everything remembered about one node. Made by `newNodeState`, changed only by `observe`. */
export interface NodeState {
  /** The Ready condition as last seen. */
  readonly ready: ReadyStatus;
  /** The Lease's `renewTime` as last seen: compared for equality, never read as a time. */
  readonly renewTime: string | undefined;
  /** When the Lease was last seen to change, or since when its silence counts. */
  readonly heartbeatAt: number;
  /** Whether a Lease was ever seen: a kubelet makes its first one some ten seconds after it has registered. */
  readonly hadLease: boolean;
  /** Whether a renewal was seen to happen: a Lease that only lies there may be that of an earlier node of the name. */
  readonly renewed: boolean;
  /** Whether nobody's kubelet ever posted the Node's status: then there is no machine yet that could have died. */
  readonly neverPosted: boolean;
  /** Since when Kubernetes has called the node Unknown: the silence of one that has no Lease yet. */
  readonly unknownSince: number | undefined;
  /** Results of probes since the last heartbeat, in a row: how many silent ones, and the last that said anything. */
  readonly silentProbes: number;
  /** The last probe that said anything, since the last heartbeat. */
  readonly lastProbe: { readonly result: ProbeResult; readonly at: number } | undefined;
  /** Who vouches that it is dead, when somebody does. */
  readonly proof: string | undefined;
  /** Looks in poll mode: when the next is due, and the original program's counter. */
  readonly nextLookAt: number;
  /** In poll mode: looks in a row that found it not Ready. */
  readonly notReadyCount: number | undefined;
  /** In poll mode: when the first of them was. */
  readonly countingSince: number | undefined;
  /** Since when, by our clock, the node has been Ready without a break. */
  readonly readySince: number | undefined;
}

/** What a node's state means at one moment. */
export interface Assessment {
  /** Where the node stands. */
  readonly health: Exclude<Health, 'returning'>;
  /** How much stands behind that. */
  readonly evidence: Evidence;
  /** Why, in words for people; empty for a node that is alive. */
  readonly reasons: readonly string[];
  /** The host itself was heard lately, by answering or by refusing: it is up, whatever its kubelet does. */
  readonly hostUp: boolean;
  /** Since when heartbeats have been missing, if they have. */
  readonly silentSince: number | undefined;
  /**
   * Since when its kubelet has been silent on a host that is up, if it hangs: no Lease was renewed, Kubernetes calls it Unknown, and the
   * host was heard. Monotonic; absent: it does not hang, or nobody can tell.
   */
  readonly hungSince?: number;
  /** When the assessment can change by the passing of time alone, if it can. */
  readonly nextCheckAt: number | undefined;
}

/** For how long a renewal shows in poll mode that the host is up: as long as a kubelet's Lease lasts. */
const heartbeatLastsMs = 40_000;

/** A node first seen at `at`. It gets a whole grace period from there, whatever its Lease says. */
export function newNodeState(at: number): NodeState {
  return {
    ready: 'absent',
    renewTime: undefined,
    heartbeatAt: at,
    hadLease: false,
    renewed: false,
    neverPosted: false,
    unknownSince: undefined,
    silentProbes: 0,
    lastProbe: undefined,
    proof: undefined,
    nextLookAt: at,
    notReadyCount: undefined,
    countingSince: undefined,
    readySince: undefined,
  };
}

/** The state after one more fact. Time spent blind counts for nothing: `sight-regained` starts every count anew. */
export function observe(state: NodeState, observation: Observation): NodeState {
  switch (observation.kind) {
    case 'ready':
      return {
        ...state,
        ready: observation.status,
        // Once posted, always posted, whatever becomes of what the Node says.
        neverPosted: observation.neverPosted === true && (state.neverPosted || state.ready === 'absent'),
        unknownSince: observation.status === 'Unknown' ? (state.unknownSince ?? observation.at) : undefined,
        readySince: observation.status === 'True' ? (state.readySince ?? observation.at) : undefined,
      };
    case 'lease':
      return observeLease(state, observation.renewTime, observation.at);
    case 'probe': {
      if (observation.result === 'failed') return state;
      const silentProbes = observation.result === 'silent' ? state.silentProbes + 1 : 0;
      return { ...state, silentProbes, lastProbe: { result: observation.result, at: observation.at } };
    }
    case 'proof':
      return { ...state, proof: observation.by };
    case 'proof-withdrawn':
      return { ...state, proof: undefined };
    case 'sight-regained':
      return {
        ...state,
        heartbeatAt: observation.at,
        unknownSince: state.ready === 'Unknown' ? observation.at : undefined,
        silentProbes: 0,
        lastProbe: undefined,
        nextLookAt: observation.at,
        notReadyCount: undefined,
        countingSince: undefined,
        readySince: state.ready === 'True' ? observation.at : undefined,
      };
  }
}

function observeLease(state: NodeState, renewTime: string | undefined, at: number): NodeState {
  // A Lease that vanished renews nothing: the silence that began with the last renewal goes on.
  if (renewTime === undefined || renewTime === state.renewTime) return state;
  return {
    ...state,
    renewTime,
    hadLease: true,
    renewed: state.renewed || state.renewTime !== undefined,
    heartbeatAt: at,
    silentProbes: 0,
    lastProbe: undefined,
  };
}

/**
 * What the state means at `now`. Returns the state too, because in poll mode looking is an act that counts.
 *
 * Never throws, whatever the cluster says: a node without conditions, without a Lease or without both is data.
 */
export function assess(
  state: NodeState,
  now: number,
  detection: Detection,
): { readonly state: NodeState; readonly assessment: Assessment } {
  if (neverBooted(state)) return { state, assessment: assessUnbooted(state, now, detection) };
  return detection.mode === 'poll'
    ? assessByPolls(state, now, detection)
    : { state, assessment: assessByHeartbeats(state, now, detection) };
}

/**
 * A Node without a machine may have been made in advance, or anew under the name of one that died: it says neither. So
 * it is no death by itself, however long it lasts; but pods of before may wait for somebody's word.
 */
function assessUnbooted(state: NodeState, now: number, detection: Detection): Assessment {
  const { deadUnprobedAfterMs } = detection.mode === 'poll' ? defaultHeartbeatDetection : detection;
  const doubtfulAt = state.heartbeatAt + deadUnprobedAfterMs;
  const doubtful = now >= doubtfulAt;
  const hostUp = heardFromHost(state);
  const reasons: string[] = [];
  if (doubtful) {
    reasons.push(
      'its Node was created before its machine ever booted: nothing tells whether a machine of that name is off',
    );
    if (hostUp) reasons.push(hostUpReason(state));
    if (state.proof !== undefined) reasons.push(`vouched for by ${state.proof}`);
  }
  return {
    health: !doubtful ? 'alive' : state.proof !== undefined ? 'dead' : 'suspect',
    evidence: gradeOf({ silent: doubtful, notReady: false, hostSilent: false, proof: state.proof }),
    reasons,
    hostUp,
    // No heartbeat is missing: there never was one.
    silentSince: undefined,
    nextCheckAt: nextAfter(now, [doubtfulAt]),
  };
}

function assessByHeartbeats(state: NodeState, now: number, rules: HeartbeatDetection): Assessment {
  const since = lastHeard(state);
  const silentForMs = since === undefined ? 0 : now - since;
  const silent = silentForMs >= rules.suspectAfterMs;
  const notReady = state.ready === 'False' || state.ready === 'Unknown';
  const hostSilent = state.silentProbes >= rules.silentProbes;
  const hostUp = heardFromHost(state);

  const reasons: string[] = [];
  if (silent) {
    const what = state.hadLease ? 'Lease not renewed' : 'no Lease yet, and nothing heard';
    reasons.push(`${what} for ${seconds(silentForMs)}`);
  }
  if (notReady) reasons.push(`Ready is ${state.ready}`);
  if (silent && hostSilent) reasons.push(`host silent to ${state.silentProbes} probes`);
  if (silent && hostUp) reasons.push(hostUpReason(state));

  const dead =
    silent &&
    (state.proof !== undefined ||
      (hostSilent && silentForMs >= rules.deadAfterMs) ||
      (notReady && !hostUp && silentForMs >= rules.deadUnprobedAfterMs));
  if (silent && state.proof !== undefined) reasons.push(`vouched for by ${state.proof}`);

  return {
    health: dead ? 'dead' : silent || notReady ? 'suspect' : 'alive',
    evidence: gradeOf({ silent, notReady, hostSilent, proof: state.proof }),
    reasons,
    hostUp,
    silentSince: silent ? since : undefined,
    ...hanging(state, silent ? since : undefined),
    nextCheckAt:
      since === undefined
        ? undefined
        : nextAfter(now, [
            since + rules.suspectAfterMs,
            since + rules.deadAfterMs,
            since + rules.deadUnprobedAfterMs,
          ]),
  };
}

/**
 * Since when nothing may have been heard of the node, on our clock; undefined while there is nothing to go by.
 *
 * A node that dies before its first Lease has nobody's word but Kubernetes': it is called Unknown once its status has
 * been silent for a whole grace period there, and ours is counted from then.
 */
function lastHeard(state: NodeState): number | undefined {
  return state.hadLease ? state.heartbeatAt : state.unknownSince;
}

/**
 * A kubelet whose Lease is silent may post its status still: only where Kubernetes has heard neither for a whole grace period does it
 * hang. After a time of blindness its silence begins anew.
 */
function hanging(state: NodeState, silentSince: number | undefined): Pick<Assessment, 'hungSince'> {
  const hangs = silentSince !== undefined && state.ready === 'Unknown' && heardFromHost(state);
  return hangs ? { hungSince: silentSince } : {};
}

/** Whether its machine was never heard of: a Node may be made long before, and what isn't there yet doesn't die unproven. */
export function neverBooted(state: NodeState): boolean {
  return state.neverPosted && !state.renewed;
}

function assessByPolls(
  state: NodeState,
  now: number,
  rules: PollDetection,
): { readonly state: NodeState; readonly assessment: Assessment } {
  const looked = now >= state.nextLookAt ? look(state, now, rules) : state;
  const count = looked.notReadyCount;
  const proven = count !== undefined && looked.proof !== undefined;
  const heartbeating =
    looked.countingSince !== undefined &&
    looked.heartbeatAt > looked.countingSince &&
    now - looked.heartbeatAt < heartbeatLastsMs;
  const hostUp = heartbeating || heardFromHost(looked);
  const reasons: string[] = [];
  if (count !== undefined) reasons.push(`Ready is ${looked.ready}, count ${count}`);
  if (heartbeating) reasons.push('the host is up: its kubelet still renews its Lease');
  else if (count !== undefined && hostUp) reasons.push(hostUpReason(looked));
  if (proven) reasons.push(`vouched for by ${looked.proof}`);
  return {
    state: looked,
    assessment: {
      health: count === undefined ? 'alive' : count > rules.threshold || proven ? 'dead' : 'suspect',
      evidence: gradeOf({
        silent: count !== undefined,
        notReady: count !== undefined,
        hostSilent: looked.silentProbes >= defaultHeartbeatDetection.silentProbes,
        proof: looked.proof,
      }),
      reasons,
      hostUp,
      silentSince: undefined,
      ...hanging(looked, count === undefined || !isSilent(looked, now) ? undefined : lastHeard(looked)),
      nextCheckAt: heartbeating
        ? Math.min(looked.nextLookAt, looked.heartbeatAt + heartbeatLastsMs)
        : looked.nextLookAt,
    },
  };
}

/** For longer than a kubelet's Lease lasts. */
function isSilent(state: NodeState, now: number): boolean {
  const since = lastHeard(state);
  return since !== undefined && now - since >= heartbeatLastsMs;
}

function look(state: NodeState, now: number, rules: PollDetection): NodeState {
  const count =
    state.ready === 'True'
      ? undefined
      : state.ready === 'absent'
        ? state.notReadyCount
        : (state.notReadyCount ?? -1) + 1;
  return {
    ...state,
    notReadyCount: count,
    countingSince: count === undefined ? undefined : (state.countingSince ?? now),
    nextLookAt: now + rules.intervalMs,
  };
}

/** The last probe since the last heartbeat heard something from the host, if only a refusal. */
function heardFromHost(state: NodeState): boolean {
  const result = state.lastProbe?.result;
  return result === 'answered' || result === 'mute' || result === 'refused';
}

function hostUpReason(state: NodeState): string {
  switch (state.lastProbe?.result) {
    case 'refused':
      return 'the host is up: it refuses connections to its kubelet port';
    case 'mute':
      return 'the host is up: it accepts connections, but its kubelet does not speak';
    default:
      return 'the host is up: its kubelet answers';
  }
}

function gradeOf(witnesses: {
  silent: boolean;
  notReady: boolean;
  hostSilent: boolean;
  proof: string | undefined;
}): Evidence {
  if (!witnesses.silent && !witnesses.notReady) return 'none';
  if (witnesses.proof !== undefined) return 'proven';
  return witnesses.silent && witnesses.hostSilent ? 'unreachable' : 'suspected';
}

function nextAfter(now: number, times: readonly number[]): number | undefined {
  const future = times.filter((time) => time > now);
  return future.length === 0 ? undefined : Math.min(...future);
}

function seconds(ms: number): string {
  return `${Math.floor(ms / 1000)}s`;
}
