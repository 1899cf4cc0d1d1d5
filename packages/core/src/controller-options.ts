// What a controller is told when it is made, and what of that contradicts itself.
import { canBeDrilled, type DrillRules } from './drilling/drill-rules.ts';
import { checkedTimings, type ElectionTimings } from './election/election-timings.ts';
import type { LeaseStore } from './election/lease-record.ts';
import { isObserversElection } from './election/observers-election.ts';
import { contradictionsIn } from './evidence/rules.ts';
import { type SightRules, shortestSafeDeathMs } from './evidence/sight.ts';
import type { NodeProbe } from './evidence/witnesses/prober.ts';
import type { Fencer } from './fencing/fencer.ts';
import { hungFault } from './fencing/hung.ts';
import { fencersIn } from './fencing/ladder.ts';
import type { Self } from './hand-over.ts';
import type { KubernetesReader } from './kubernetes/reader.ts';
import type { PauseStore } from './pausing/global-pause.ts';
import type { Guard } from './policy/guard.ts';
import type { Policy } from './policy/policy.ts';
import type { ReturnRules } from './returning/moves.ts';
import type { TakeoverCluster } from './takeover/cluster.ts';
import type { StatusStore } from './telling/status-publisher.ts';
import type { Clock, Random } from './time/clock.ts';
import type { Fact } from './world-state.ts';

/** Options of {@link Controller}. */
export interface ControllerOptions {
  /** For lists and watches; {@link connect} makes one. */
  readonly reader: KubernetesReader;
  /** For what a takeover reads and writes; {@link connect} makes one. */
  readonly cluster: TakeoverCluster;
  /** Must reach the API server through a connection of its own. */
  readonly leaseStore: LeaseStore;
  /** See {@link LeaderElectorOptions.minimumEpoch}. Default: epochs follow the Lease alone. */
  readonly minimumEpoch?: () => Promise<number>;
  /**
   * Where a pause of everything is kept beside the election Lease; {@link connect} makes one. Absent: when the Lease is
   * deleted while no replica runs, a pause is deleted with it.
   */
  readonly pauseStore?: PauseStore;
  /** Where {@link ControllerOptions.leaseStore} keeps its Lease: the controller watches it, to know that it sees. */
  readonly election: { readonly namespace: string; readonly name: string } & ElectionTimings;
  /** Unique among all replicas and all lives of this process. */
  readonly identity: string;
  /** The first that selects a node counts for it; without any, nothing is ever done. */
  readonly policies: readonly Policy[];
  /** All fencers that policies name. */
  readonly fencers: readonly Fencer[];
  /**
   * Guards beside the built-in ones. They can hold, never override. They are asked until a takeover begins, those with
   * {@link Guard.brake} while it goes on as well. Default none. With any, all guards are asked every half second while a death
   * waits, since nobody tells us when they change their mind; without, when something changed or a time has come.
   */
  readonly guards?: readonly Guard[];
  /** Asks a host whether anybody is there. Absent: nobody asks, and evidence stays at `suspected`. */
  readonly probe?: NodeProbe;
  /** Pause between probes of one suspect node. Default 2,000 ms. */
  readonly probeIntervalMs?: number;
  /** By what it knows that it is blind. Default {@link defaultSightRules}. */
  readonly sight?: Partial<SightRules>;
  /** How nodes that were taken over are taken in again. */
  readonly returning?: Partial<ReturnRules>;
  /**
   * How often the leader asks fencers whether they could fence the nodes that they are for; `false`: never. Default
   * {@link defaultDrillRules}. It changes nothing on any machine, and nothing is asked where no fencer has a `check`. An interval
   * shorter than an hour finds a dead device sooner, and costs each device that many more questions.
   */
  readonly drill?: Partial<DrillRules> | false;
  /** Where the leader tells what it knows, for `liberator status`. Absent: it is told nowhere. */
  readonly status?: StatusStore;
  /**
   * `observe`: everything is watched and decided as ever, and what would be done is only told, as {@link ControllerEvents.observed}.
   * Nothing is written but the Lease of an election of its own ({@link observersElection}), the status, and Events that say so. Default
   * `act`.
   */
  readonly mode?: 'act' | 'observe';
  /**
   * Called with each fact that comes in, wakes included, before anything follows from it: what a journal is made of, together with
   * {@link Controller.journalHead}. Some hundred times a second in a large cluster; it must neither wait nor change anything. What
   * it throws is told as `error`. Default: nobody listens.
   */
  readonly onFact?: (fact: Fact, at: number) => void;
  /**
   * Where this replica runs. A leader that is about to fence that node hands over to another replica first, and leads no more while its node
   * is to be fenced and another one is ready. Default: nobody knows, and it fences whatever it runs on.
   */
  readonly self?: Self;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Draws jitter. Default {@link systemRandom}. */
  readonly random?: Random;
}

/** @throws RangeError for the first contradiction, in a sentence. */
export function checkOptions(options: ControllerOptions, sight: SightRules): void {
  const names = options.fencers.map(({ name }) => name);
  if (new Set(names).size < names.length) {
    throw new RangeError(`expected each fencer under a name of its own, found ${names.join(', ')}`);
  }
  for (const policy of options.policies) {
    const problem = policyProblem(policy, options, sight);
    if (problem !== undefined) throw new RangeError(`policy ${policy.name}: ${problem}`);
  }
  checkSight(options, sight);
  checkMode(options);
}

function policyProblem(
  { fencing, detection, evidence }: Policy,
  options: ControllerOptions,
  sight: SightRules,
): string | undefined {
  const named = fencersIn(fencing);
  const known = new Map(options.fencers.map((fencer) => [fencer.name, fencer]));
  const missing = named.find((name) => !known.has(name));
  if (missing !== undefined) {
    return `expected a fencer among ${[...known.keys()].join(', ') || 'none'}, found ${missing}`;
  }
  const fencers = named.flatMap((name) => known.get(name) ?? []);
  const [problem] = contradictionsIn(detection, shortestSafeDeathMs(sight));
  const switchesPower = fencers.some(({ acts }) => acts === 'power');
  const fault = hungFault(fencing, { switchesPower, evidence });
  return (
    checkAgeProblem(fencing, fencers, options) ??
    problem ??
    (fault === undefined ? undefined : `fencing.hungAfterMs: ${fault}`)
  );
}

/** A policy that waits for checks which nobody makes would wait for ever. */
function checkAgeProblem(
  { maxCheckAgeMs }: Policy['fencing'],
  fencers: readonly Fencer[],
  { drill }: ControllerOptions,
): string | undefined {
  if (maxCheckAgeMs === undefined || (drill !== false && fencers.some(canBeDrilled))) return undefined;
  const what = drill === false ? 'a drill' : 'a fencer that can be checked';
  return `expected ${what} beside maxCheckAgeMs, found none`;
}

function checkSight({ election }: ControllerOptions, { renewalEchoMs, togetherMs }: SightRules): void {
  const { retryPeriodMs } = checkedTimings(election);
  if (!(renewalEchoMs > retryPeriodMs)) {
    throw new RangeError(
      `expected renewalEchoMs above retryPeriodMs (${retryPeriodMs}), or a leader is blind between two renewals; ` +
        `found ${renewalEchoMs}`,
    );
  }
  if (!(togetherMs >= 0)) throw new RangeError(`expected togetherMs of at least 0, found ${togetherMs}`);
}

function checkMode({ mode, election }: ControllerOptions): void {
  if (mode === 'observe' && !isObserversElection(election)) {
    throw new RangeError(
      `expected an election of their own for those who only observe, as observersElection makes it, found ${election.name}`,
    );
  }
}
