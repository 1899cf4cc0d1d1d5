// Asks fencers whether they could fence the nodes that they are for, while nobody needs them: the shell around the schedule.
import { notedOf } from '../evidence/noted-node.ts';
import { checkFence } from '../fencing/check-fence.ts';
import { checkKey } from '../fencing/check-key.ts';
import type { DeviceQueue } from '../fencing/device-queue.ts';
import type { FenceCheck } from '../fencing/fence-check.ts';
import { deviceOf } from '../fencing/fence-device.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import type { FenceDevice, Fencer } from '../fencing/fencer.ts';
import { fencersIn } from '../fencing/ladder.ts';
import { confirmWays } from '../marks/confirmed.ts';
import type { FleetNode } from '../policy/fleet-node.ts';
import type { NodeEvent } from '../takeover/cluster.ts';
import { Allowance } from '../telling/allowance.ts';
import type { DrillStatus } from '../telling/drill-status.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import type { Clock } from '../time/clock.ts';
import { describeDrill } from './describe.ts';
import { canBeDrilled, type DrillRules } from './drill-rules.ts';
import { type CheckNews, CheckResults } from './results.ts';
import {
  newSchedule,
  nextTurn,
  putBack,
  type Schedule,
  type Turn,
  urgentTurn,
  withSubjects,
} from './schedule.ts';

/** A fencer was asked whether it could fence a node, and answered. */
export interface FenceChecked {
  /** The Node's name. */
  readonly node: string;
  /** The Node's uid. */
  readonly uid: string;
  /** Name of the policy that counts for it. */
  readonly policy: string;
  /** The fencer's name. */
  readonly fencer: string;
  /** What it said. */
  readonly check: FenceCheck;
  /** `failing`: it isn't ready any more, or for another reason. `ready`: it is again. Absent: nothing new. */
  readonly news?: CheckNews;
  /** News of so many at once that this one is left to the status and the metrics. */
  readonly quiet?: true;
}

/** What a takeover that runs may ask. */
interface AtWork {
  readonly target: Pick<FenceTarget, 'name' | 'uid' | 'deathId' | 'noted'>;
  /** Names of its fencers. */
  readonly fencers: readonly string[];
}

/** All nodes, by name. */
interface Fleet {
  get(name: string): FleetNode | undefined;
  values(): Iterable<FleetNode>;
}

/** One fencer and one node. */
interface Subject {
  readonly fencer: Fencer;
  readonly target: FenceTarget;
  readonly policy: string;
}

export interface DrillOptions {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly rules: DrillRules;
  readonly fencers: readonly Fencer[];
  /** As they are at the moment of the call. */
  readonly nodes: () => Fleet;
  /** Names of nodes that are not well. */
  readonly unwell: () => Iterable<string>;
  readonly atWork: () => readonly AtWork[];
  /** Whose turn it is at devices that machines share: nothing is asked of one that somebody has, or waits for. */
  readonly devices: DeviceQueue;
  readonly publish: (event: NodeEvent) => void;
  readonly onChecked: (checked: FenceChecked) => void;
}

/** How often it is looked which nodes there are, and which policy counts for them. */
const rescanMs = 10_000;

/** What is told of single nodes: so much at once, and one more each minute. The rest is in the status. */
const told = { burst: 20, refillMs: 60_000 } as const;

/** How often what is published is put together anew though nothing came in: success grows old. */
const describeAgainMs = 30_000;

/** So many of those that takeovers wait for at once: a device that never answers must not keep others from being asked. */
const mostUrgent = 64;

interface Running {
  readonly node: string;
  readonly device: FenceDevice | undefined;
  readonly isUrgent: boolean;
  readonly stop: AbortController;
}

/** One term's. It writes nothing but Events, and nothing but a check is ever asked of a fencer. */
export class Drill {
  readonly #options: DrillOptions;
  readonly #fencers: ReadonlyMap<string, Fencer>;
  readonly #results = new CheckResults();
  readonly #running = new Map<string, Running>();
  readonly #asking = new Set<Promise<void>>();
  readonly #allowance: Allowance;
  readonly #since: number;
  #schedule: Schedule;
  #rescanAt = Number.NEGATIVE_INFINITY;
  #described: { readonly version: number; readonly at: number; readonly status: DrillStatus } | undefined;

  constructor(options: DrillOptions) {
    this.#options = options;
    this.#since = options.clock.now();
    this.#schedule = newSchedule();
    this.#allowance = new Allowance(told, this.#since);
    this.#fencers = new Map(options.fencers.map((fencer) => [fencer.name, fencer]));
  }

  /** To be called at each look, and never waited for. */
  attend(): void {
    const { term, clock, rules } = this.#options;
    if (term.remainingMs() <= 0) return;
    const now = clock.now();
    if (now >= this.#rescanAt) this.#rescan(now);
    if (this.#schedule.fresh.size + this.#schedule.asked.size === 0) return;
    const busy = this.#busy();
    this.#giveWay(busy);
    const urgent = this.#urgent(now);
    const turnRules = { now, everyMs: rules.everyMs, mayAsk: (key: string) => this.#mayAsk(key, busy) };
    while (this.#count(true) < mostUrgent) {
      const turn = urgentTurn(this.#schedule, urgent, turnRules);
      if (turn === undefined) break;
      this.#start(turn, true);
    }
    while (this.#count(false) < rules.concurrency) {
      const turn = nextTurn(this.#schedule, turnRules);
      if (turn === undefined) return;
      this.#start(turn, false);
    }
  }

  /** For the status document; undefined while no policy has a fencer that can be asked. */
  describe(): DrillStatus | undefined {
    const { clock, rules, nodes } = this.#options;
    if (this.#schedule.fresh.size + this.#schedule.asked.size === 0) return undefined;
    const now = clock.now();
    const { version } = this.#results;
    const known = this.#described;
    if (known !== undefined && known.version === version && now - known.at < describeAgainMs) {
      return known.status;
    }
    const status = describeDrill(nodes().values(), {
      rules,
      fencers: this.#fencers,
      results: this.#results,
      since: this.#since,
      now,
      wallTime: clock.wallTime(),
    });
    this.#described = { version, at: now, status };
    return status;
  }

  /** How many nodes each fencer was not ready for when it was last asked, by the fencer's name. */
  notReady(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { fencer, check } of this.#results.values()) {
      if (check.outcome !== 'ready') counts.set(fencer, (counts.get(fencer) ?? 0) + 1);
    }
    return counts;
  }

  /** Resolves once nothing is asked any more; soon after the term's end. */
  async settled(): Promise<void> {
    await Promise.all(this.#asking);
  }

  #rescan(now: number): void {
    this.#rescanAt = now + rescanMs;
    const keys = new Set<string>();
    for (const node of this.#options.nodes().values()) {
      for (const fencer of this.#drilled(node)) keys.add(checkKey(node.node.metadata.name, fencer));
    }
    this.#schedule = withSubjects(this.#schedule, keys);
    this.#results.keep(keys);
    // A Node that was made anew is another machine until somebody has looked.
    for (const { node, uid, fencer } of this.#results.values()) {
      const known = this.#options.nodes().get(node);
      if (known !== undefined && known.node.metadata.uid !== uid) {
        this.#schedule = putBack(this.#schedule, checkKey(node, fencer));
      }
    }
  }

  #drilled({ policy }: FleetNode): readonly string[] {
    if (policy === undefined) return [];
    return fencersIn(policy.fencing).filter((name) => {
      const fencer = this.#fencers.get(name);
      return fencer !== undefined && canBeDrilled(fencer);
    });
  }

  /** Those that fell silent, and of whom their policy wants to know that they could be fenced. */
  #urgent(now: number): readonly string[] {
    const { nodes, unwell } = this.#options;
    return [...unwell()].flatMap((name) => {
      const node = nodes().get(name);
      const maxAgeMs = node?.policy?.fencing.maxCheckAgeMs;
      if (node === undefined || maxAgeMs === undefined) return [];
      const { uid } = node.node.metadata;
      const isFresh = (fencer: string): boolean => {
        const known = this.#results.get(name, fencer);
        return known?.uid === uid && known.readyAt !== undefined && now - known.readyAt <= maxAgeMs;
      };
      const drilled = this.#drilled(node);
      return drilled.some(isFresh) ? [] : drilled.map((fencer) => checkKey(name, fencer));
    });
  }

  /** What takeovers that run may need, now. */
  #busy(): { readonly nodes: ReadonlySet<string>; readonly devices: ReadonlySet<string> } {
    const atWork = this.#options.atWork();
    const devices = atWork.flatMap(({ target, fencers }) =>
      fencers.flatMap(
        (name) => knownDeviceOf(this.#fencers.get(name), { ...target, howToConfirm: '' })?.key ?? [],
      ),
    );
    return { nodes: new Set(atWork.map(({ target }) => target.name)), devices: new Set(devices) };
  }

  /** A fence never waits for a drill. */
  #giveWay(busy: { readonly nodes: ReadonlySet<string>; readonly devices: ReadonlySet<string> }): void {
    for (const { node, device, stop } of this.#running.values()) {
      if (busy.nodes.has(node) || (device !== undefined && busy.devices.has(device.key))) {
        stop.abort(deviceIsNeeded());
      }
    }
  }

  #mayAsk(
    key: string,
    busy: { readonly nodes: ReadonlySet<string>; readonly devices: ReadonlySet<string> },
  ): boolean {
    const subject = this.#subjectOf(key);
    if (subject === undefined || this.#running.has(key) || busy.nodes.has(subject.target.name)) return false;
    const device = knownDeviceOf(subject.fencer, subject.target);
    if (device === undefined) return true;
    return !busy.devices.has(device.key) && this.#options.devices.mayLend(device.key, device.concurrency);
  }

  #count(urgent: boolean): number {
    let count = 0;
    for (const { isUrgent } of this.#running.values()) if (isUrgent === urgent) count += 1;
    return count;
  }

  #subjectOf(key: string): Subject | undefined {
    const [name = '', fencerName = ''] = key.split(' ');
    const known = this.#options.nodes().get(name);
    const fencer = this.#fencers.get(fencerName);
    if (known === undefined || known.policy === undefined || fencer === undefined) return undefined;
    return { fencer, target: targetOf(known), policy: known.policy.name };
  }

  #start({ key, schedule }: Turn, isUrgent: boolean): void {
    this.#schedule = schedule;
    const subject = this.#subjectOf(key);
    if (subject === undefined) return;
    const { fencer, target } = subject;
    const { devices } = this.#options;
    const stop = new AbortController();
    const device = knownDeviceOf(fencer, target);
    const giveBack =
      device && devices.lend(device.key, device.concurrency, () => stop.abort(deviceIsNeeded()));
    this.#running.set(key, { node: target.name, device, isUrgent, stop });
    const asking = this.#ask(key, subject, stop.signal).finally(() => {
      giveBack?.();
      this.#running.delete(key);
      this.#asking.delete(asking);
    });
    this.#asking.add(asking);
  }

  async #ask(key: string, { fencer, target, policy }: Subject, stop: AbortSignal): Promise<void> {
    const { term, clock, rules, onChecked } = this.#options;
    const signal = AbortSignal.any([term.signal, stop]);
    const { timeoutMs } = rules;
    let check: FenceCheck;
    try {
      check = await checkFence(fencer, target, {
        signal,
        clock,
        ...(timeoutMs !== undefined && { timeoutMs }),
      });
    } catch {
      // It gave way, or the term is over: nothing was learnt of the device.
      this.#schedule = putBack(this.#schedule, key);
      return;
    }
    if (term.remainingMs() <= 0) return;
    const { name: node, uid } = target;
    const result = { node, uid, policy, fencer: fencer.name, check, at: clock.now() };
    const news = this.#results.note(result);
    const isTold = news !== undefined && this.#allowance.take(clock.now());
    const { at: _, ...checked } = result;
    onChecked({ ...checked, ...(news && { news }), ...(news !== undefined && !isTold && { quiet: true }) });
    if (news !== undefined && isTold) this.#publish(checked, news);
  }

  #publish({ node, uid, fencer, check, policy }: Omit<FenceChecked, 'news'>, news: CheckNews): void {
    const about = `fencer ${fencer} of policy ${policy}`;
    const target = { name: node, uid };
    this.#options.publish(
      news === 'failing'
        ? {
            type: 'Warning',
            reason: 'FenceCheckFailed',
            message: `${about} could not fence this node if it died now: ${check.detail}`,
            node: target,
          }
        : {
            type: 'Normal',
            reason: 'FenceCheckPassed',
            message: `${about} could fence this node again: ${check.detail}`,
            node: target,
          },
    );
  }
}

function targetOf({ node, deathId }: FleetNode): FenceTarget {
  const { name, uid } = node.metadata;
  return { name, uid, deathId, noted: notedOf(node), node, howToConfirm: confirmWays(name, deathId) };
}

/** One that can't say it shares its device with nobody. */
function knownDeviceOf(fencer: Fencer | undefined, target: FenceTarget): FenceDevice | undefined {
  try {
    return fencer && deviceOf(fencer, target);
  } catch {
    return undefined;
  }
}

function deviceIsNeeded(): Error {
  return new Error('somebody needs the device');
}
