// A simulated power switch: it takes its time, may be out of reach, and tells the truth about what it did.
import { type Clock, type FenceResult, type Fencer, sleep } from '@liberator/core';
import type { Machine } from '@liberator/simulator';

export interface PowerSwitchOptions {
  readonly clock: Clock;
  readonly machine: (name: string) => Machine;
  readonly takesMs: number;
  /** Called right before a machine that has power loses it. */
  readonly onOff: (machine: Machine) => void;
}

export class PowerSwitch {
  readonly #options: PowerSwitchOptions;
  #condition: 'fine' | 'slow' | 'failing' = 'fine';
  #asked = 0;

  constructor(options: PowerSwitchOptions) {
    this.#options = options;
  }

  /** How often it was told to switch something off, whatever came of it. */
  get asked(): number {
    return this.#asked;
  }

  become(condition: 'fine' | 'slow' | 'failing'): void {
    this.#condition = condition;
  }

  readonly fencer: Fencer = {
    name: 'switch',
    fence: ({ node }, signal) => this.#fence(node.metadata.name, signal),
  };

  async #fence(name: string, signal: AbortSignal): Promise<FenceResult> {
    const { clock, machine, takesMs, onOff } = this.#options;
    this.#asked++;
    if (!(await sleep(clock, takesMs, signal))) return { outcome: 'failed', detail: 'nobody waits any more' };
    if (this.#condition === 'failing') return { outcome: 'failed', detail: 'the switch does not answer' };
    if (this.#condition === 'slow') {
      return { outcome: 'waiting', detail: 'the switch is busy', retryAfterMs: 2_000 };
    }
    const target = machine(name);
    if (target.isAlive()) onOff(target);
    target.crash();
    return { outcome: 'fenced', proof: 'powered-off', detail: `${name} has no power` };
  }
}
