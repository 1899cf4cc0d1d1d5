// One machine with a watchdog, the kernel that it resets, and the process of a guard that can be stopped, killed and started anew.
import { type Clock, type TimerHandle, WatchdogGuard } from '@liberator/core';
import type { LeaseServer } from './lease-server.ts';
import type { SharedTime } from './shared-time.ts';

export interface MachineOptions {
  readonly time: SharedTime;
  readonly server: LeaseServer;
  readonly node: string;
  readonly grantMs: number;
  /** W, by the watchdog's own clock. */
  readonly timeoutMs: number;
  /** How many of its milliseconds pass in a true one. */
  readonly guardSpeed: number;
  readonly dogSpeed: number;
  readonly canDisarm: boolean;
  /** Whether the watchdog runs on while the machine is suspended. */
  readonly dogRunsOn: boolean;
  readonly bootMs: number;
}

/** How the process of the guard sees time, and everything else: not at all while it is stopped, and never again once it is dead. */
class ProcessClock implements Clock {
  readonly #machine: GuardedMachine;
  readonly #time: SharedTime;
  readonly #speed: number;
  readonly #waiting: (() => void)[] = [];
  dead = false;
  stopped = false;

  constructor(machine: GuardedMachine, time: SharedTime, speed: number) {
    this.#machine = machine;
    this.#time = time;
    this.#speed = speed;
  }

  /** As CLOCK_MONOTONIC: it stands still while the machine is suspended. */
  now(): number {
    return (this.#time.now() - this.#machine.suspendedMs) * this.#speed;
  }

  wallTime(): number {
    return this.#time.wallTime() - this.#machine.suspendedMs + this.#machine.wallOffsetMs;
  }

  /** As CLOCK_BOOTTIME. */
  bootTime(): number {
    return this.#time.now() * this.#speed;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    return this.#time.setTimeout(
      () => this.deliver(callback),
      Math.ceil(Math.max(delayMs || 0, 0) / this.#speed),
    );
  }

  clearTimeout(handle: TimerHandle | undefined): void {
    this.#time.clearTimeout(handle);
  }

  /** What comes from outside the process. */
  deliver(callback: () => void): void {
    if (this.dead) return;
    if (this.stopped || this.#machine.isSuspended) this.#waiting.push(callback);
    else callback();
  }

  goOn(): void {
    if (this.stopped || this.#machine.isSuspended) return;
    for (const callback of this.#waiting.splice(0)) if (!this.dead) callback();
  }
}

export class GuardedMachine {
  readonly #options: MachineOptions;
  #boots = 0;
  #isUp = false;
  /** True time; undefined while the watchdog does not run. */
  #fedAt: number | undefined;
  #bite: TimerHandle | undefined;
  #lastMoment: TimerHandle | undefined;
  #killsAtLast = false;
  #process: ProcessClock | undefined;
  #holdsDevice = false;
  #stop = new AbortController();
  #suspendedAt: number | undefined;
  #suspended = 0;
  /** By how much its wall clock is wrong. */
  wallOffsetMs = 0;
  /** For how long the next feed is stopped between the look at the clock and the device. */
  stallNextFeedMs = 0;
  /** True time at which each boot ended, by its ID. */
  readonly ended: Map<string, number> = new Map();
  feeds = 0;
  resets = 0;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#boot();
  }

  get bootId(): string {
    return `boot-${this.#boots}`;
  }

  /** Whether anything of that boot runs, or could run on: who is suspended may wake up. */
  runs(bootId: string): boolean {
    return this.#isUp && this.bootId === bootId;
  }

  get isSuspended(): boolean {
    return this.#suspendedAt !== undefined;
  }

  /** For how long it has been suspended so far. */
  get suspendedMs(): number {
    return (
      this.#suspended + (this.#suspendedAt === undefined ? 0 : this.#options.time.now() - this.#suspendedAt)
    );
  }

  // --- what happens to it

  /** The plug, or the watchdog: nothing of the kernel is left, and nobody closes anything. */
  reset(): void {
    if (!this.#isUp) return;
    const { time, bootMs } = this.#options;
    this.resets += 1;
    this.ended.set(this.bootId, time.now());
    this.#isUp = false;
    this.#suspended = this.suspendedMs;
    this.#suspendedAt = undefined;
    if (this.#process !== undefined) this.#process.dead = true;
    this.#process = undefined;
    this.#holdsDevice = false;
    this.#stopDog();
    time.setTimeout(() => this.#boot(), bootMs);
  }

  suspend(): void {
    if (!this.#isUp || this.isSuspended) return;
    if (!this.#options.dogRunsOn) this.#pauseDog();
    this.#suspendedAt = this.#options.time.now();
  }

  resume(): void {
    if (this.#suspendedAt === undefined) return;
    const stoodMs = this.#options.time.now() - this.#suspendedAt;
    this.#suspended += stoodMs;
    this.#suspendedAt = undefined;
    if (!this.#options.dogRunsOn) this.#resumeDog(stoodMs);
    this.#process?.goOn();
  }

  stopGuard(): void {
    if (this.#process !== undefined) this.#process.stopped = true;
  }

  continueGuard(): void {
    if (this.#process === undefined) return;
    this.#process.stopped = false;
    this.#process.goOn();
  }

  /** SIGKILL. Linux closes what the process held, and a watchdog that is closed is fed once more. */
  killGuard(): void {
    if (this.#process === undefined) return;
    this.#process.dead = true;
    this.#process = undefined;
    this.#close();
  }

  /** Once, right before the watchdog would bite: after that its process feeds it no more, by whatever happens. */
  killAtTheLastMoment(): void {
    this.#killsAtLast = true;
    if (this.#fedAt !== undefined) this.#setBite();
  }

  /** How long it takes until right before the watchdog bites, should nobody feed it. */
  untilLastMomentMs(): number {
    return this.#fedAt === undefined ? 0 : Math.max(0, this.#biteAt() - this.#options.time.now() - 5);
  }

  /** SIGTERM. */
  endGuard(): void {
    this.#process?.deliver(() => this.#stop.abort());
  }

  startGuard(): void {
    if (!this.#isUp || this.#process !== undefined) return;
    const { time, server, node, grantMs, guardSpeed } = this.#options;
    const process = new ProcessClock(this, time, guardSpeed);
    const stop = new AbortController();
    this.#process = process;
    this.#stop = stop;
    const alive = (act: () => void): void => {
      if (process.dead) throw new Error('nobody is left to do this');
      act();
    };
    const guard = new WatchdogGuard({
      clock: process,
      clocks: [() => process.bootTime()],
      store: server.storeFor(node, process),
      grantMs,
      node,
      bootId: this.bootId,
      deviceName: 'watchdog0',
      random: time.random,
      device: {
        settings: () => ({
          timeoutMs: this.#options.timeoutMs,
          identity: 'simulated',
          canDisarm: this.#options.canDisarm,
        }),
        open: () => alive(() => this.#open(process)),
        feed: () => alive(() => this.#feed(process)),
        close: () => alive(() => this.#close()),
        disarm: () => alive(() => this.#disarm()),
      },
    });
    const gone = (): void => {
      if (process.dead || this.#process !== process) return;
      process.dead = true;
      this.#process = undefined;
      this.#close();
    };
    guard.run(stop.signal).then(gone, gone);
  }

  // --- the watchdog

  #boot(): void {
    this.#boots += 1;
    this.#isUp = true;
    this.startGuard();
  }

  #open(process: ProcessClock): void {
    if (this.#holdsDevice) throw new Error('EBUSY');
    this.#stall(process);
    this.#holdsDevice = true;
    this.#ping();
  }

  #feed(process: ProcessClock): void {
    this.#stall(process);
    this.feeds += 1;
    this.#ping();
  }

  #close(): void {
    if (!this.#holdsDevice) return;
    this.#holdsDevice = false;
    if (this.#fedAt !== undefined) this.#ping();
  }

  #disarm(): void {
    if (!this.#options.canDisarm) throw new Error('expected a watchdog that can be disarmed');
    this.#holdsDevice = false;
    this.#stopDog();
  }

  /** Stopped in the middle of what nobody else of the process interrupts. A watchdog bites all the same. */
  #stall(process: ProcessClock): void {
    const { time } = this.#options;
    const stallMs = this.stallNextFeedMs;
    this.stallNextFeedMs = 0;
    const leftMs = this.#fedAt === undefined ? Number.POSITIVE_INFINITY : this.#biteAt() - time.now();
    time.skip(Math.min(stallMs, leftMs));
    if (stallMs < leftMs) return;
    this.reset();
    process.dead = true;
    throw new Error('the machine was reset');
  }

  #biteAt(): number {
    return (this.#fedAt ?? Number.POSITIVE_INFINITY) + this.#options.timeoutMs / this.#options.dogSpeed;
  }

  #ping(): void {
    this.#fedAt = this.#options.time.now();
    this.#setBite();
  }

  #setBite(): void {
    const { time } = this.#options;
    time.clearTimeout(this.#bite);
    time.clearTimeout(this.#lastMoment);
    this.#bite = time.setTimeout(() => this.reset(), this.#biteAt() - time.now());
    if (!this.#killsAtLast) return;
    this.#lastMoment = time.setTimeout(() => {
      this.#killsAtLast = false;
      this.killGuard();
    }, this.untilLastMomentMs());
  }

  #stopDog(): void {
    this.#pauseDog();
    this.#fedAt = undefined;
  }

  #pauseDog(): void {
    this.#options.time.clearTimeout(this.#bite);
    this.#options.time.clearTimeout(this.#lastMoment);
  }

  /** It counts on where it stood. */
  #resumeDog(stoodMs: number): void {
    if (this.#fedAt === undefined) return;
    this.#fedAt += stoodMs;
    this.#setBite();
  }
}
