// A simulated power switch: it takes its time, may be out of reach, may answer late or never, and may lie.
import {
  type Clock,
  type FenceContext,
  type FenceProof,
  type FenceResult,
  type Fencer,
  sleep,
} from '@liberator/core';
import type { Machine } from '@liberator/simulator';

export interface PowerSwitchOptions {
  /** As policies name it. */
  readonly name: string;
  readonly clock: Clock;
  readonly machine: (name: string) => Machine;
  /** From being asked to sending the device what switches off: it has to be found and logged in to. */
  readonly takesMs: number;
  /** How it is when nothing happens to it. */
  readonly usually: SwitchCondition;
  /** How long a driver of it may take; undefined for core's own default. */
  readonly timeoutMs: number | undefined;
  /** What it vouches for once it has acted. Default `powered-off`. */
  readonly proof?: FenceProof;
  /** Called right before a machine that has power loses it, or as a device is told to take it that does so later. */
  readonly onOff: (machine: Machine) => void;
  /** Called right before a machine that has power loses it, long after that was ordered. */
  readonly onBelated: (machine: Machine) => void;
  /** Called as the device is told to harm a machine, whether that has power or not. */
  readonly onOrder: (machine: Machine) => void;
}

/**
 * - `slow`: busy, to be asked again.
 * - `failing`: does nothing, and says so.
 * - `hanging`: does nothing, and says nothing.
 * - `late`: does it at once, and says so a long time after.
 * - `mute`: does it, and its answer is lost.
 * - `lying`: says that it did, and did nothing.
 * - `refusing`: does nothing, and never will.
 * - `deaf`: thinks for long, and goes on whatever calls it off.
 * - `belated`: says that it failed, and does it a while later.
 * - `isolating`: leaves the machine on, and vouches for nothing but that it is cut off.
 */
export type SwitchCondition =
  | 'fine'
  | 'slow'
  | 'failing'
  | 'hanging'
  | 'late'
  | 'mute'
  | 'lying'
  | 'refusing'
  | 'deaf'
  | 'belated'
  | 'isolating';

/** For how long a deaf one thinks: into the turn of the next rung. */
const deafMs = 32_000;

/** How long after its answer a belated one acts. */
const belatedMs = 6_000;

/** How late a late answer is. */
const lateMs = 45_000;

/** How long its driver waits for an answer. */
const patienceMs = 10_000;

/** Longer than anybody waits. */
const forEverMs = 24 * 3_600_000;

export class PowerSwitch {
  readonly #options: PowerSwitchOptions;
  readonly #liedAbout = new Set<string>();
  readonly #hangsFor = new Set<string>();
  #condition: SwitchCondition;
  #asked = 0;

  constructor(options: PowerSwitchOptions) {
    this.#options = options;
    this.#condition = options.usually;
  }

  get name(): string {
    return this.#options.name;
  }

  /** How often it was told to switch something off, whatever came of it. */
  get asked(): number {
    return this.#asked;
  }

  /** Machines of which it ever said without reason that they are off: nobody can know better. */
  get liedAbout(): ReadonlySet<string> {
    return this.#liedAbout;
  }

  become(condition: SwitchCondition): void {
    this.#condition = condition;
  }

  /** As it is when nothing happens to it. */
  recover(): void {
    this.#condition = this.#options.usually;
    this.#hangsFor.clear();
  }

  /** Never answers about this machine, until it recovers. */
  hangFor(machine: string): void {
    this.#hangsFor.add(machine);
  }

  get fencer(): Fencer {
    const { name, timeoutMs } = this.#options;
    return {
      name,
      ...(timeoutMs !== undefined && { timeoutMs }),
      fence: ({ name: node }, context) => this.#fence(node, context),
    };
  }

  async #fence(name: string, { signal, permit }: FenceContext): Promise<FenceResult> {
    const { clock, machine: find, takesMs, proof = 'powered-off', onOff, onBelated, onOrder } = this.#options;
    this.#asked++;
    if (!(await sleep(clock, takesMs, signal))) return nobodyWaits;
    const condition = this.#hangsFor.has(name) ? 'hanging' : this.#condition;
    if (condition === 'refusing') {
      return { outcome: 'failed', detail: 'the switch refuses the password', permanent: true };
    }
    if (condition === 'deaf') await sleep(clock, deafMs, new AbortController().signal);
    if (condition === 'failing') return { outcome: 'failed', detail: 'the switch does not answer' };
    if (condition === 'slow') {
      return { outcome: 'waiting', detail: 'the switch is busy', retryAfterMs: 2_000 };
    }
    if (condition === 'hanging') {
      await sleep(clock, forEverMs, signal);
      return nobodyWaits;
    }
    const permitted = await permit();
    if (permitted.outcome === 'refused') return { outcome: 'failed', detail: permitted.detail };
    const machine = find(name);
    onOrder(machine);
    if (condition === 'isolating') {
      return { outcome: 'fenced', proof: 'isolated', detail: `${name} has no network` };
    }
    if (condition === 'belated') {
      if (machine.isAlive()) onOff(machine);
      clock.setTimeout(() => {
        if (machine.isAlive()) onBelated(machine);
        machine.crash();
      }, belatedMs);
      return { outcome: 'failed', detail: 'the switch did not answer' };
    }
    if (condition === 'lying' && machine.isAlive()) this.#liedAbout.add(name);
    else {
      if (machine.isAlive()) onOff(machine);
      machine.crash();
    }
    const unheardMs = condition === 'late' ? lateMs : condition === 'mute' ? patienceMs : 0;
    if (unheardMs > 0 && !(await sleep(clock, unheardMs, signal))) return nobodyWaits;
    if (condition === 'mute') return { outcome: 'failed', detail: 'the switch did not answer' };
    return { outcome: 'fenced', proof, detail: `${name} has no power` };
  }
}

const nobodyWaits: FenceResult = { outcome: 'failed', detail: 'nobody waits any more' };
