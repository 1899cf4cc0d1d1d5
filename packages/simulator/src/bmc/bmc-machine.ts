// One machine behind a management controller: whether it has power, what switches it, and how long that takes.
import type { Clock, TimerHandle } from '@liberator/core';
import type { BmcMachineFaults } from './bmc-faults.ts';

/** Whether a machine has power. */
export type BmcPower = 'On' | 'Off';

/** One machine as it is put behind a controller. */
export interface BmcMachineOptions {
  /** Its system is `/redfish/v1/Systems/NAME`. */
  readonly name: string;
  /** Of its board: what its Node reports as `status.nodeInfo.systemUUID`. */
  readonly uuid: string;
  /** Default `On`. */
  readonly power?: BmcPower;
  /** How long it takes to go off, in milliseconds. Default 0. */
  readonly offMs?: number;
  /** How long it takes to come on, in milliseconds. Default 0. */
  readonly onMs?: number;
  /** Called whenever its power really changes: where a simulated node dies, or boots. */
  readonly onPower?: (power: BmcPower) => void;
}

/** How a system may be asked to be switched, and what its power does then. */
const resets: Readonly<Record<string, readonly BmcPower[]>> = {
  On: ['On'],
  ForceOn: ['On'],
  ForceOff: ['Off'],
  GracefulShutdown: ['Off'],
  ForceRestart: ['Off', 'On'],
  PowerCycle: ['Off', 'On'],
};

/** All that a machine can be asked for. */
export const resetTypes: readonly string[] = Object.keys(resets);

/** A machine behind a {@link RedfishBmc}. What its controller says is an opinion; {@link BmcMachine.power} is the truth. */
export class BmcMachine {
  /** As it was put there. */
  readonly name: string;
  /** As it really is, whatever the controller says. */
  readonly uuid: string;
  /** What goes wrong now; `{}` ends all of it. */
  faults: BmcMachineFaults = {};
  readonly #options: BmcMachineOptions;
  readonly #clock: Clock;
  readonly #timers = new Set<TimerHandle>();
  #power: BmcPower;
  #changes = 1;

  /** @internal Controllers put them up. */
  constructor(options: BmcMachineOptions, clock: Clock) {
    this.name = options.name;
    this.uuid = options.uuid;
    this.#options = options;
    this.#clock = clock;
    this.#power = options.power ?? 'On';
  }

  /** Whether it really has power. */
  get power(): BmcPower {
    return this.#power;
  }

  /** @internal Changes with every change of the system. */
  get etag(): string {
    return `"${this.#changes}"`;
  }

  /** Switches it at once, by hand: whatever is under way, or wrong with the controller. */
  switch(power: BmcPower): void {
    this.#cancel();
    this.#become(power);
  }

  /** @internal What the controller does for a reset. `whenDone` is called at the end, unless something else is asked meanwhile. */
  reset(type: string, whenDone: () => void): void {
    const { stuck, liesOff, backOnAfterMs } = this.faults;
    if (stuck === true || liesOff === true) return;
    this.#cancel();
    const steps = [...(resets[type] ?? [])];
    const next = (): void => {
      const power = steps.shift();
      if (power === undefined) {
        whenDone();
        return;
      }
      this.#after(power === this.#power ? 0 : this.#durationOf(power), () => {
        this.#become(power);
        if (power === 'Off' && steps.length === 0 && backOnAfterMs !== undefined) {
          this.#after(backOnAfterMs, () => this.#become('On'));
        }
        next();
      });
    };
    next();
  }

  /** @internal */
  dispose(): void {
    this.#cancel();
  }

  #durationOf(power: BmcPower): number {
    const { offMs = 0, onMs = 0 } = this.#options;
    return power === 'Off' ? offMs : onMs;
  }

  #become(power: BmcPower): void {
    if (this.#power === power) return;
    this.#power = power;
    this.#changes++;
    this.#options.onPower?.(power);
  }

  #after(delayMs: number, act: () => void): void {
    if (delayMs <= 0) {
      act();
      return;
    }
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
  }

  #cancel(): void {
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    this.#timers.clear();
  }
}
