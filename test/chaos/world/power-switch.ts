// A simulated power switch: it takes its time, may be out of reach, may answer late or never, and may lie.
import { type Clock, type FenceContext, type FenceResult, type Fencer, sleep } from '@liberator/core';
import type { Machine } from '@liberator/simulator';

export interface PowerSwitchOptions {
  readonly clock: Clock;
  readonly machine: (name: string) => Machine;
  readonly takesMs: number;
  /** Called right before a machine that has power loses it. */
  readonly onOff: (machine: Machine) => void;
}

/**
 * - `slow`: busy, to be asked again.
 * - `failing`: does nothing, and says so.
 * - `late`: does it at once, and says so a long time after.
 * - `mute`: does it, and its answer is lost.
 * - `lying`: says that it did, and did nothing.
 */
export type SwitchCondition = 'fine' | 'slow' | 'failing' | 'late' | 'mute' | 'lying';

/** How late a late answer is. */
const lateMs = 45_000;

/** How long its driver waits for an answer. */
const patienceMs = 10_000;

export class PowerSwitch {
  readonly #options: PowerSwitchOptions;
  readonly #liedAbout = new Set<string>();
  #condition: SwitchCondition = 'fine';
  #asked = 0;

  constructor(options: PowerSwitchOptions) {
    this.#options = options;
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

  readonly fencer: Fencer = {
    name: 'switch',
    fence: ({ name }, context) => this.#fence(name, context),
  };

  async #fence(name: string, { signal, permit }: FenceContext): Promise<FenceResult> {
    const { clock, machine, takesMs, onOff } = this.#options;
    this.#asked++;
    if (!(await sleep(clock, takesMs, signal))) return { outcome: 'failed', detail: 'nobody waits any more' };
    const condition = this.#condition;
    if (condition === 'failing') return { outcome: 'failed', detail: 'the switch does not answer' };
    if (condition === 'slow') {
      return { outcome: 'waiting', detail: 'the switch is busy', retryAfterMs: 2_000 };
    }
    const permitted = await permit();
    if (permitted.outcome === 'refused') return { outcome: 'failed', detail: permitted.detail };
    const target = machine(name);
    if (condition === 'lying' && target.isAlive()) this.#liedAbout.add(name);
    else {
      if (target.isAlive()) onOff(target);
      target.crash();
    }
    const unheardMs = condition === 'late' ? lateMs : condition === 'mute' ? patienceMs : 0;
    if (unheardMs > 0 && !(await sleep(clock, unheardMs, signal))) {
      return { outcome: 'failed', detail: 'nobody waits any more' };
    }
    if (condition === 'mute') return { outcome: 'failed', detail: 'the switch did not answer' };
    return { outcome: 'fenced', proof: 'powered-off', detail: `${name} has no power` };
  }
}
