// One story of a guarded machine and of leaders that ask again and again whether it has fenced itself; what was wrong is returned.
import { type FenceTarget, sleep, watchdogFencer } from '@liberator/core';
import fc from 'fast-check';
import { SkewedClock } from '../../../packages/core/src/testing/skewed-clock.ts';
import { GuardedMachine } from './guarded-machine.ts';
import { type Asker, LeaseServer } from './lease-server.ts';
import { SharedTime } from './shared-time.ts';

/** Something that happens for a while, or at one moment. */
export interface Happening {
  readonly what:
    | 'guard-cut-off'
    | 'answers-lost'
    | 'leader-cut-off'
    | 'outage'
    | 'guard-stopped'
    | 'leader-stopped'
    | 'guard-killed'
    | 'guard-killed-at-the-last-moment'
    | 'guard-stopped-over-an-answer'
    | 'machine-naps'
    | 'guard-ended'
    | 'feed-stalls'
    | 'leader-changes'
    | 'machine-reset'
    | 'machine-suspended'
    | 'switched-off'
    | 'wall-clock-jumps';
  /** Seconds since the beginning. */
  readonly at: number;
  readonly forS: number;
}

export interface Story {
  readonly seed: number;
  /** T and W, in seconds. */
  readonly grant: number;
  readonly timeout: number;
  /** Of guard, watchdog and leader: how fast their clocks are, none more than 1.25 times as fast as another. */
  readonly speeds: readonly [number, number, number];
  readonly slowestMs: number;
  readonly canDisarm: boolean;
  readonly dogRunsOn: boolean;
  readonly happenings: readonly Happening[];
}

export interface Outcome {
  /** Proofs that were given of a machine that ran, or could run on. */
  readonly falseProofs: readonly string[];
  /** Proofs that were true. */
  readonly proofs: number;
  readonly feeds: number;
  readonly resets: number;
  /** For how long a machine ran on after it was woken, in milliseconds of true time, at most. */
  readonly ranOnMs: number;
}

const node = 'node-1';
const lengthS = 400;

class LeaderClock extends SkewedClock implements Asker {
  #isStopped = false;
  readonly #waiting: (() => void)[] = [];

  override setTimeout(callback: () => void, delayMs: number): object {
    return super.setTimeout(() => this.deliver(callback), delayMs);
  }

  deliver(callback: () => void): void {
    if (this.#isStopped) this.#waiting.push(callback);
    else callback();
  }

  stop(): void {
    this.#isStopped = true;
  }

  goOn(): void {
    this.#isStopped = false;
    for (const callback of this.#waiting.splice(0)) callback();
  }
}

export async function play(story: Story): Promise<Outcome> {
  const time = new SharedTime(story.seed);
  const server = new LeaseServer(time, story);
  const [guardSpeed, dogSpeed, leaderSpeed] = story.speeds;
  const machine = new GuardedMachine({
    time,
    server,
    node,
    grantMs: story.grant * 1_000,
    timeoutMs: story.timeout * 1_000,
    guardSpeed,
    dogSpeed,
    canDisarm: story.canDisarm,
    dogRunsOn: story.dogRunsOn,
    bootMs: 20_000,
  });
  // A guard that ended is started again, as its DaemonSet sees to.
  const restart = (): void => {
    machine.startGuard();
    time.setTimeout(restart, 3_000);
  };
  restart();

  const falseProofs: string[] = [];
  let proofs = 0;
  let leader: { readonly clock: LeaderClock; readonly end: AbortController } | undefined;
  const lead = (): void => {
    leader?.end.abort();
    const clock = new LeaderClock(time, { speed: leaderSpeed });
    const end = new AbortController();
    leader = { clock, end };
    void ask(clock, end.signal);
  };
  const ask = async (clock: LeaderClock, signal: AbortSignal): Promise<void> => {
    const readLease = server.reader(clock);
    const fencer = watchdogFencer({
      name: 'watchdog',
      // The kubelet's Lease would take proofs away: the worst case is a machine whose Node is gone.
      readLease: (at, limit) =>
        at.namespace === 'kube-node-lease' ? Promise.resolve(undefined) : readLease(at, limit),
    });
    const permit = () => Promise.resolve({ outcome: 'granted', validForMs: 1_000 } as const);
    while (!signal.aborted) {
      // Of every boot that it can be asked about, the one on the Lease is the one that gets an answer.
      const bootId = server.leaseOf(node)?.metadata.annotations?.['guard.liberator.dev/boot-id'] ?? '';
      const target = { name: node, uid: 'u', deathId: 'd', bootId, noted, howToConfirm: '' };
      const result = await fencer.fence(target, { clock, signal, permit }).catch(() => undefined);
      if (signal.aborted) return;
      if (result?.outcome === 'fenced') {
        if (machine.runs(bootId)) falseProofs.push(`${bootId} runs at ${time.now()} ms`);
        else proofs += 1;
      }
      const pauseMs = result?.outcome === 'waiting' ? result.retryAfterMs : 1_000;
      await sleep(clock, Math.min(pauseMs, 2_000), signal);
    }
  };
  lead();

  let ranOnMs = 0;
  const begin: Readonly<Record<Happening['what'], (forMs: number) => void>> = {
    'guard-cut-off': (forMs) => toggled(time, forMs, (on) => (server.isGuardCutOff = on)),
    'answers-lost': (forMs) => toggled(time, forMs, (on) => (server.answersAreLost = on)),
    'leader-cut-off': (forMs) => toggled(time, forMs, (on) => (server.isLeaderCutOff = on)),
    outage: (forMs) => toggled(time, forMs, (on) => (server.isDown = on)),
    'guard-stopped': (forMs) =>
      toggled(time, forMs, (on) => (on ? machine.stopGuard() : machine.continueGuard())),
    'leader-stopped': (forMs) => {
      const stopped = leader?.clock;
      toggled(time, forMs, (on) => (on ? stopped?.stop() : stopped?.goOn()));
    },
    'guard-killed': () => machine.killGuard(),
    'guard-killed-at-the-last-moment': () => machine.killAtTheLastMoment(),
    'guard-stopped-over-an-answer': () =>
      server.beforeNextAnswer(() => {
        const forMs = machine.untilLastMomentMs();
        toggled(time, forMs, (on) => (on ? machine.stopGuard() : machine.continueGuard()));
      }),
    'machine-naps': () => {
      const forMs = machine.untilLastMomentMs();
      machine.suspend();
      time.setTimeout(() => machine.resume(), forMs);
    },
    'guard-ended': () => machine.endGuard(),
    'feed-stalls': (forMs) => {
      machine.stallNextFeedMs = forMs;
    },
    'leader-changes': lead,
    'machine-reset': () => machine.reset(),
    'machine-suspended': (forMs) => {
      const { bootId } = machine;
      machine.suspend();
      time.setTimeout(() => {
        const wokenAt = time.now();
        machine.resume();
        const look = (): void => {
          const last = machine.ended.get(bootId) ?? time.now();
          ranOnMs = Math.max(ranOnMs, last - wokenAt);
          if (machine.runs(bootId)) time.setTimeout(look, 100);
        };
        if (server.isGuardCutOff) look();
      }, forMs);
    },
    'switched-off': (forMs) => toggled(time, forMs, (on) => server.setOff(node, on)),
    'wall-clock-jumps': (forMs) => {
      machine.wallOffsetMs += story.seed % 2 === 0 ? forMs : -forMs;
    },
  };
  for (const { what, at, forS } of story.happenings) {
    time.setTimeout(() => begin[what](forS * 1_000), at * 1_000);
  }
  await time.advance(lengthS * 1_000);
  leader?.end.abort();
  return { falseProofs, proofs, feeds: machine.feeds, resets: machine.resets, ranOnMs };
}

function toggled(time: SharedTime, forMs: number, set: (on: boolean) => void): void {
  set(true);
  time.setTimeout(() => set(false), forMs);
}

const noted: FenceTarget['noted'] = {
  machine: { systemUuid: '', machineId: '', providerId: '' },
  addresses: [],
  labels: {},
  annotations: {},
};

const anything: readonly Happening['what'][] = [
  'guard-cut-off',
  'answers-lost',
  'leader-cut-off',
  'outage',
  'guard-stopped',
  'leader-stopped',
  'guard-killed',
  'guard-ended',
  'feed-stalls',
  'leader-changes',
  'machine-reset',
  'switched-off',
  'wall-clock-jumps',
];

const seconds = (least: number, most: number): fc.Arbitrary<number> =>
  fc.integer({ min: Math.round(least * 10), max: Math.round(most * 10) }).map((tenths) => tenths / 10);

/** Speeds that keep within the ratio that is promised, often at its very edge. */
const speed = fc.constantFrom(0.9, 1, 1.05, 1.12);

/**
 * Stories in which the machine is cut off, and anything else happens around that; often what keeps a watchdog from biting for longest.
 *
 * @param more - What may happen beside the usual.
 */
export function stories(more: readonly Happening['what'][] = []): fc.Arbitrary<Story> {
  const other = (from: number): fc.Arbitrary<Happening> =>
    fc.record({
      what: fc.constantFrom(...anything, ...more),
      at: seconds(from, from + 80),
      forS: seconds(0.1, 60),
    });
  return fc.record({
    seed: fc.nat(),
    grant: fc.integer({ min: 4, max: 20 }),
    timeout: fc.integer({ min: 2, max: 20 }),
    speeds: fc.oneof(fc.tuple(speed, speed, speed), fc.constant([0.9, 0.9, 1.12] as const)),
    slowestMs: fc.constantFrom(10, 500, 8_000),
    canDisarm: fc.boolean(),
    dogRunsOn: fc.constant(true),
    happenings: fc
      .tuple(
        cutOff,
        fc.option(worst(more), { nil: [] }),
        fc.array(other(25), { maxLength: 8 }),
        fc.array(other(120), { maxLength: 4 }),
      )
      .map(([first, latest, around, later]) => [
        first,
        ...latest.map((one) => ({ ...one, at: Math.max(0, first.at + one.at) })),
        ...around,
        ...later,
      ]),
  });
}

const cutOff: fc.Arbitrary<Happening> = fc.record({
  what: fc.constantFrom<Happening['what']>('guard-cut-off', 'answers-lost', 'outage'),
  at: seconds(30, 60),
  forS: seconds(1, 200),
});

/** What somebody would do who wants the watchdog to bite as late as it can, relative to the cut. */
function worst(more: readonly Happening['what'][]): fc.Arbitrary<readonly Happening[]> {
  const naps = more.includes('machine-suspended') ? (['machine-naps'] as const) : [];
  const trick = fc.record({
    what: fc.constantFrom<Happening['what']>('guard-stopped-over-an-answer', 'feed-stalls', ...naps),
    at: seconds(-4, 2),
    forS: seconds(1, 30),
  });
  const kill = fc.record({
    what: fc.constantFrom<Happening['what']>(
      'guard-killed-at-the-last-moment',
      'guard-killed-at-the-last-moment',
      'guard-ended',
    ),
    at: seconds(-4, 20),
    forS: fc.constant(0),
  });
  return fc.tuple(trick, kill);
}
