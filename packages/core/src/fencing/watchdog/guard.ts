// The guard of one machine: renews its Lease, and feeds the watchdog for as long as the API server has let it live.

import { type Clock, type Random, sleep, systemClock, systemRandom } from '../../time/clock.ts';
import { areGuardTimes } from './bound.ts';
import { type ClockReader, type ClockReadings, passedMs, readClocks } from './grant.ts';
import type { GuardClaim, GuardState } from './guard-claim.ts';
import type { GuardLeaseSnapshot, GuardLeaseStore } from './guard-lease.ts';
import type { WatchdogDevice, WatchdogSettings } from './watchdog-device.ts';

/** What a guard has come to. */
export type GuardChange =
  /** Its Lease says so now, and the API server has confirmed it. */
  | { readonly change: 'arming' | 'armed' | 'released' }
  /** Its grant has run out: it feeds no more, and the machine will be reset unless the API server answers before that. */
  | { readonly change: 'starving' }
  /** The API server answered in time: it feeds again. */
  | { readonly change: 'fed-again' }
  /** It was stopped right before a feed, and fed too late. It has let go of the device. */
  | { readonly change: 'fed-late' }
  /** Somebody wants the watchdog disarmed, and it is one that can't be. */
  | { readonly change: 'cannot-disarm' };

/** Options of {@link WatchdogGuard}. */
export interface WatchdogGuardOptions {
  /** Where its Lease is kept. */
  readonly store: GuardLeaseStore;
  /** What it feeds. */
  readonly device: WatchdogDevice;
  /** T, in milliseconds: see {@link GuardTimes.grantMs}. */
  readonly grantMs: number;
  /** The node that it guards. */
  readonly node: string;
  /** Of the kernel that runs: `/proc/sys/kernel/random/boot_id`. */
  readonly bootId: string;
  /** What the device is called, for people. */
  readonly deviceName: string;
  /** For waiting. Default: the system's. */
  readonly clock?: Clock;
  /**
   * Clocks beside the two of {@link WatchdogGuardOptions.clock}: whichever went furthest counts. One that goes on while the
   * machine is suspended must be among them, where there is one. Default: none.
   */
  readonly clocks?: readonly ClockReader[];
  /** Draws jitter. Default: the system's. */
  readonly random?: Random;
  /** Called with each change of what it does. */
  readonly onChange?: (change: GuardChange) => void;
  /** Called for each renewal that was none; there will be another. */
  readonly onError?: (error: unknown) => void;
}

/** How it ended. `armed`: the watchdog runs on, and resets the machine unless the next guard comes before. */
export type GuardEnd = 'released' | 'armed';

/** How long a guard that was asked to stop tries to tell the API server so. */
const leaveWithinMs = 8_000;
/** For one request. */
const longestRequestMs = 5_000;
const longestPauseMs = 1_000;
const longestFeedMs = 5_000;

/**
 * Guards one machine. It never feeds on stale grounds: the age of its grant counts from before the renewal was sent, by the
 * strictest of several clocks, and is looked at right before each feed. Why that is enough: {@link resetWithinMs}.
 */
export class WatchdogGuard {
  readonly #options: WatchdogGuardOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #clocks: readonly ClockReader[];
  #seen: GuardLeaseSnapshot | undefined;
  #hasRead = false;
  /** When the last good renewal was sent. */
  #grantedAt: ClockReadings | undefined;
  #settings: WatchdogSettings;
  #holdsDevice = false;
  #claimed: GuardState | undefined;
  #isStarving = false;
  #toldOfOff = false;
  #deviceFailure: { readonly error: unknown } | undefined;
  #feedTimer: object | undefined;

  /**
   * @throws RangeError when T, or what the device says, is nothing to guard with.
   * @throws What the device throws.
   */
  constructor(options: WatchdogGuardOptions) {
    const { device, grantMs, clock = systemClock, random = systemRandom, clocks = [] } = options;
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#clocks = [() => clock.now(), () => clock.wallTime(), ...clocks];
    this.#settings = device.settings();
    const { timeoutMs } = this.#settings;
    if (!areGuardTimes({ grantMs, timeoutMs })) {
      throw new RangeError(
        `expected a grant and a watchdog's timeout of one second to one hour each, found ${grantMs} ms and ${timeoutMs} ms`,
      );
    }
  }

  /** What the API server has confirmed last. */
  get state(): GuardState | undefined {
    return this.#claimed;
  }

  /** For how long it still may feed, in milliseconds; 0 when it may not. */
  get remainingMs(): number {
    return Math.max(0, this.#options.grantMs - this.#ageMs());
  }

  /** What the device said when it was last asked. */
  get settings(): WatchdogSettings {
    return this.#settings;
  }

  /**
   * Guards until `signal` aborts, and then disarms in good order: first the API server has to have it that this machine
   * guards itself no more.
   *
   * Rejects when the device fails. The watchdog runs on then, if it still can.
   */
  async run(signal: AbortSignal): Promise<GuardEnd> {
    this.#feedLater();
    try {
      while (!signal.aborted && this.#deviceFailure === undefined) {
        const pauseMs = await this.#turn();
        if (pauseMs > 0) await sleep(this.#clock, pauseMs, signal);
      }
      return await this.#leave();
    } finally {
      this.#clock.clearTimeout(this.#feedTimer);
    }
  }

  /** One renewal and what it allows. Returns how long to wait for the next. */
  async #turn(): Promise<number> {
    const isOff = this.#seen?.off !== undefined;
    const cannotDisarm = isOff && this.#holdsDevice && !this.#settings.canDisarm;
    if (cannotDisarm && !this.#toldOfOff) this.#tell('cannot-disarm');
    this.#toldOfOff = cannotDisarm;
    const state = this.#nextState(isOff);
    if (!(await this.#renew(state))) return this.#pauseMs(this.#options.grantMs / 10, longestPauseMs);
    if (state === 'released' && this.#holdsDevice) this.#onDevice((device) => device.disarm(), false);
    if (state === 'arming' && this.#seen?.off === undefined) {
      this.#arm();
      // From now on the leader may rely on it.
      if (this.#holdsDevice) return 0;
    }
    return this.#pauseMs(this.#options.grantMs / 4, Number.POSITIVE_INFINITY);
  }

  #nextState(isOff: boolean): GuardState {
    if (!this.#holdsDevice) return isOff ? 'released' : 'arming';
    return isOff && this.#settings.canDisarm ? 'released' : 'armed';
  }

  /** Whether the API server has said that it changed the Lease, for whatever state was claimed. */
  async #renew(state: GuardState): Promise<boolean> {
    const timeoutMs = Math.min(longestRequestMs, this.#options.grantMs / 3);
    // Not ended by a wish to stop: what is under way may count.
    const limits = { timeoutMs, signal: new AbortController().signal };
    try {
      if (!this.#hasRead) {
        this.#seen = await this.#options.store.read(limits);
        this.#hasRead = true;
      }
      const before = this.#seen;
      // It may have been changed by whoever held the device before us.
      const claim = this.#claim(state);
      const sentAt = readClocks(this.#clocks);
      const result = await this.#options.store.write(before, claim, limits);
      if (result.outcome === 'conflict') {
        this.#hasRead = false;
        return false;
      }
      this.#seen = result.snapshot;
      // What changed nothing is seen by nobody.
      if (before?.uid === result.snapshot.uid && before.resourceVersion === result.snapshot.resourceVersion) {
        return false;
      }
      this.#grantedAt = sentAt;
    } catch (error) {
      // It may have been done, or not.
      this.#hasRead = false;
      this.#options.onError?.(error);
      return false;
    }
    const isNew = this.#claimed !== state;
    this.#claimed = state;
    if (isNew) this.#tell(state);
    this.#feed();
    return true;
  }

  #claim(state: GuardState): GuardClaim {
    const { node, bootId, deviceName, grantMs, device } = this.#options;
    // What is no longer relied on needs no timeout, and its device may not answer any more.
    if (state !== 'released') this.#settings = device.settings();
    const { timeoutMs, identity } = this.#settings;
    return { node, bootId, state, grantMs, timeoutMs, device: `${deviceName} (${identity})` };
  }

  /** To open the device is to feed it, so it takes a grant as any feed does. */
  #arm(): void {
    if (this.#ageMs() >= this.#options.grantMs) return;
    this.#onDevice((device) => device.open(), true);
    this.#letGoIfLate();
  }

  #feedLater(): void {
    const everyMs = Math.min(longestFeedMs, this.#settings.timeoutMs / 5);
    this.#feedTimer = this.#clock.setTimeout(() => {
      this.#feed();
      this.#feedLater();
    }, everyMs);
  }

  #feed(): void {
    if (!this.#holdsDevice) return;
    if (this.#ageMs() >= this.#options.grantMs) {
      if (!this.#isStarving) this.#tell('starving');
      this.#isStarving = true;
      return;
    }
    this.#onDevice((device) => device.feed(), true);
    this.#letGoIfLate();
    if (this.#isStarving && this.#holdsDevice) this.#tell('fed-again');
    this.#isStarving = false;
  }

  /**
   * The process may have been stopped between its look at the clock and the feed. One such feed is allowed for, and so is the one
   * by which Linux answers the end of a process that holds a device, but not both: so they are made one.
   */
  #letGoIfLate(): void {
    if (!this.#holdsDevice || this.#ageMs() < this.#options.grantMs) return;
    this.#onDevice((device) => device.close(), false);
    this.#tell('fed-late');
  }

  /** A device that fails may never bite: nobody may rely on it from then on. */
  #onDevice(act: (device: WatchdogDevice) => void, holds: boolean): void {
    try {
      act(this.#options.device);
      this.#holdsDevice = holds;
    } catch (error) {
      this.#deviceFailure ??= { error };
    }
  }

  async #leave(): Promise<GuardEnd> {
    const until = this.#clock.now() + leaveWithinMs;
    const failure = this.#deviceFailure;
    const mayRelease = failure !== undefined || !this.#holdsDevice || this.#settings.canDisarm;
    let isReleased = false;
    while (mayRelease && !isReleased && this.#clock.now() < until) {
      isReleased = await this.#renew('released');
      if (!isReleased) await sleep(this.#clock, Math.min(250, this.#options.grantMs / 10));
    }
    if (failure !== undefined) throw failure.error;
    if (!this.#holdsDevice) return 'released';
    if (!isReleased) return 'armed';
    this.#onDevice((device) => device.disarm(), false);
    const failed = this.#deviceFailure;
    if (failed !== undefined) throw failed.error;
    return 'released';
  }

  #ageMs(): number {
    return this.#grantedAt === undefined
      ? Number.POSITIVE_INFINITY
      : passedMs(this.#grantedAt, readClocks(this.#clocks));
  }

  /** Many guards that started together must not ask together. */
  #pauseMs(ms: number, longest: number): number {
    return Math.min(ms, longest) * (0.8 + 0.2 * this.#random.next());
  }

  #tell(change: GuardChange['change']): void {
    this.#options.onChange?.({ change });
  }
}
