// The one place through which Kubernetes Events leave: they are for people, none may delay or fail what it tells about,
// and none may become a flood, however large the cluster and whatever goes wrong in it.

import type { NodeEvent, PublishedEvent, TakeoverCluster } from '../takeover/cluster.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import { type Clock, sleep, type TimerHandle } from '../time/clock.ts';
import { withoutNumbers } from '../wording/numbers.ts';
import { Allowance } from './allowance.ts';
import { Memory } from './memory.ts';
import { Omissions, type OmittedEvents } from './omissions.ts';

export interface EventRecorderOptions {
  readonly cluster: Pick<TakeoverCluster, 'publishEvent'>;
  readonly clock: Clock;
  /** A recorder serves one term. */
  readonly term: LeaderTerm;
  /** Called for each attempt that failed. */
  readonly onError: (error: unknown) => void;
  /** Called now and then while Events are omitted, at most once a minute. */
  readonly onOmitted?: (omitted: OmittedEvents) => void;
}

/** As client-go's recorder allows each source and object: this many at once, and one more every five minutes. */
const burstPerNode = 25;
const refillPerNodeMs = 300_000;

/** For all nodes together: a zone that dies must not become hundreds of requests at once. */
const burstForAll = 20;
const refillForAllMs = 100;
const mostUnderWay = 4;

/** Beyond this many that wait, people read the sum rather than each. */
const mostWaiting = 1_000;

/** What was said before is counted up at most this often. */
const countUpEveryMs = 30_000;

const attempts = 3;
const retryMs = 2_000;

/** Things that were said, and nodes with an allowance: both would grow with the cluster and with time. */
const mostRemembered = 4_096;

/** One thing that was said about one node. */
interface Said {
  event: NodeEvent;
  /** ISO 8601: when it last came about. */
  at: string;
  /** How often it came about since it was last written. */
  untold: number;
  /** How often in all, as far as it was written. */
  written: number;
  writtenAt: number;
  published: PublishedEvent | undefined;
  /** In the queue or under way: what is said meanwhile is counted when that is over. */
  waiting: boolean;
}

/**
 * Publishes Events of one term. Each thing is said once for each node and reason; what is said again, numbers aside, is
 * counted on the Event that is there. Few requests are under way at once, and each node has its allowance. What is
 * omitted is summed up.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #said = new Memory<Said>(mostRemembered);
  readonly #allowances = new Memory<Allowance>(mostRemembered);
  readonly #forAll: Allowance;
  readonly #queue: Said[] = [];
  /** Said again, and not written yet. Not lost when it has to wait: the next write has it in its count. */
  readonly #again = new Set<Said>();
  readonly #omissions: Omissions;
  #underWay = 0;
  #timer: TimerHandle | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    const now = options.clock.now();
    this.#forAll = new Allowance({ burst: burstForAll, refillMs: refillForAllMs }, now);
    this.#omissions = new Omissions((omitted) => options.onOmitted?.(omitted));
    options.term.signal.addEventListener('abort', () => this.#stop(), { once: true });
  }

  /** Never waited for, and never throws. */
  publish(event: NodeEvent): void {
    const { term, clock } = this.#options;
    if (term.remainingMs() <= 0) return;
    const key = keyOf(event);
    const at = new Date(clock.wallTime()).toISOString();
    const known = this.#said.get(key);
    if (known === undefined) {
      const said: Said = {
        event,
        at,
        untold: 1,
        written: 0,
        writtenAt: Number.NEGATIVE_INFINITY,
        published: undefined,
        waiting: false,
      };
      if (this.#enqueue(said)) this.#said.set(key, said);
    } else {
      Object.assign(known, { event, at, untold: known.untold + 1 });
      if (!known.waiting) this.#again.add(known);
    }
    this.#work();
  }

  /** False: it is omitted. */
  #enqueue(said: Said): boolean {
    const now = this.#options.clock.now();
    const { uid } = said.event.node;
    if (!this.#hasPlaceFor(said.event, now)) this.#omissions.add(uid, 'full', now);
    else if (!this.#allowanceOf(uid).take(now)) this.#omissions.add(uid, 'node-limit', now);
    else {
      said.waiting = true;
      this.#queue.push(said);
      return true;
    }
    return false;
  }

  /** What somebody has to know goes before what went well: in a storm of takeovers most of it does. */
  #hasPlaceFor({ type }: NodeEvent, now: number): boolean {
    if (this.#queue.length < mostWaiting) return true;
    if (type !== 'Warning') return false;
    const at = this.#queue.findIndex(({ event }) => event.type === 'Normal');
    const given = this.#queue[at];
    if (given === undefined) return false;
    this.#queue.splice(at, 1);
    given.waiting = false;
    this.#said.delete(keyOf(given.event));
    this.#omissions.add(given.event.node.uid, 'full', now);
    return true;
  }

  #allowanceOf(uid: string): Allowance {
    const known = this.#allowances.get(uid);
    if (known !== undefined) return known;
    const now = this.#options.clock.now();
    const fresh = new Allowance({ burst: burstPerNode, refillMs: refillPerNodeMs }, now);
    this.#allowances.set(uid, fresh);
    return fresh;
  }

  /** Sends what may be sent now, and wakes up again when something else may. */
  #work(): void {
    const { clock, term } = this.#options;
    if (term.remainingMs() <= 0) return;
    const now = clock.now();
    for (const said of this.#again) {
      const full = this.#queue.length >= mostWaiting;
      if (full || now - said.writtenAt < countUpEveryMs) continue;
      if (!this.#allowanceOf(said.event.node.uid).has(now)) continue;
      this.#again.delete(said);
      this.#enqueue(said);
    }
    while (this.#queue.length > 0 && this.#underWay < mostUnderWay && this.#forAll.take(now)) {
      const next = this.#queue.shift();
      if (next !== undefined) void this.#write(next);
    }
    this.#omissions.sumUp(now);
    this.#wakeUp();
  }

  async #write(said: Said): Promise<void> {
    const { cluster, term, clock, onError } = this.#options;
    this.#underWay += 1;
    for (let tries = 1; ; tries++) {
      const { event, at, untold, published } = said;
      const count = said.written + untold;
      try {
        const written = await cluster.publishEvent(term, event, {
          at,
          count,
          ...(published && { earlier: published }),
        });
        Object.assign(said, { published: written, written: count, untold: said.untold - untold });
        break;
      } catch (error) {
        if (term.remainingMs() <= 0) break;
        onError(error);
        if (tries < attempts && (await sleep(clock, retryMs, term.signal))) continue;
        this.#omissions.add(event.node.uid, 'failed', clock.now());
        // Whoever says it again says it anew.
        this.#said.delete(keyOf(event));
        said.untold = 0;
        break;
      }
    }
    said.waiting = false;
    said.writtenAt = clock.now();
    if (said.untold > 0) this.#again.add(said);
    this.#underWay -= 1;
    this.#work();
  }

  #wakeUp(): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#queue.length > 0 && this.#underWay < mostUnderWay;
    const later = this.#again.size > 0 || this.#omissions.untold;
    if (!waiting && !later) return;
    this.#timer = clock.setTimeout(() => this.#work(), waiting ? refillForAllMs : countUpEveryMs);
  }

  #stop(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#omissions.sumUpNow();
  }
}

function keyOf({ node, type, reason, message }: NodeEvent): string {
  return [node.uid, type, reason, withoutNumbers(message)].join('/');
}
