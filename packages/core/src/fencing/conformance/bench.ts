// What the author of a driver gives to the conformance suite: a device that can be seen through and made to misbehave.
import type { Clock } from '../../time/clock.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { Fencer } from '../fencer.ts';

/**
 * What is tried, each by itself.
 *
 * - `proof`: it fences, its answers are valid, and what it vouches for is so.
 * - `stuck`: it does not vouch for an order that was taken and not obeyed.
 * - `again`: fencing twice is fencing once, whoever asks the second time, and whatever the first was torn from.
 * - `gone-node`: a machine whose Node object was deleted is fenced by what was noted.
 * - `wrong-machine`: one with another identity is refused for good, unharmed.
 * - `permit`: a permit of its own right before each harm.
 * - `refused`: no harm without one.
 * - `expired`: no harm after a permit has ended.
 * - `aborted`: nothing happens any more once its signal has aborted, and no program of it runs.
 * - `hanging`: it lets go of a device that never answers as soon as its signal aborts.
 * - `in-time`: it answers within its own `timeoutMs`, even so.
 * - `trouble`: a device in trouble is an answer and no rejection, and doesn't keep it from fencing later.
 * - `stable`: the same answer has the same words each time.
 * - `secrets`: none of them leaves it, in whatever way.
 * - `check`: a look is ready, for the right machine, and changes nothing.
 * - `check-trouble`: a look at a device in trouble is not ready.
 * - `check-wrong-machine`: a look at another machine isn't either, and says why.
 * - `unfence`: taking it back works, and twice is once.
 * - `unfence-permit`: it needs a permit each time, like any other harm.
 * - `device`: whose limits it shares is told at once, and always the same.
 */
export type FencerCaseId =
  | 'proof'
  | 'stuck'
  | 'again'
  | 'gone-node'
  | 'wrong-machine'
  | 'permit'
  | 'refused'
  | 'expired'
  | 'aborted'
  | 'hanging'
  | 'in-time'
  | 'trouble'
  | 'stable'
  | 'secrets'
  | 'check'
  | 'check-trouble'
  | 'check-wrong-machine'
  | 'unfence'
  | 'unfence-permit'
  | 'device';

/**
 * How the device behaves from now on.
 *
 * - `well`: as it should.
 * - `slow`: each of its answers takes {@link FencerBench.slowMs}; otherwise as it should.
 * - `hanging`: it takes what is sent and never answers, and does nothing either.
 * - `refusing`: it answers everything with an error of its own, such as a status of 503 or a wrong password.
 * - `unreachable`: nobody is there.
 * - `stuck`: it takes an order and says that all is well, and nothing comes of it.
 */
export type DeviceCondition = 'well' | 'slow' | 'hanging' | 'refusing' | 'unreachable' | 'stuck';

/** A request for a change that reached the device: off, on, isolate, give back. What only looks is none. */
export interface FenceHarm {
  /** For the words of a failure: `POST .../Reset`. Without secrets. */
  readonly what: string;
  /** When it arrived, as {@link FencerBench.clock} has it. */
  readonly at: number;
}

/** What is so, whatever the device says. */
export interface MachineTruth {
  /** It can't write any more. */
  readonly fenced: boolean;
  /** How often that has changed since the scene was opened. */
  readonly changes: number;
}

/** A program that a fencer has started and that still runs, its own children included. */
export interface FencerProcess {
  /** As the system numbers it. */
  readonly pid: number;
  /** All that others on the machine can read of it, such as its arguments. */
  readonly visible: string;
}

/** One machine that is on and one device in its first state, for one case. Disposed of when the case is over. */
export interface FencerScene extends AsyncDisposable {
  /** Another fencer for the same device each time, with nothing in memory: as after a change of leader. */
  fencer(): Fencer;
  /** The machine that the device switches. */
  readonly target: FenceTarget;
  /**
   * One that the device does not know, or knows under another identity. Whatever the operator chose for it leads to the machine
   * of `target`.
   */
  readonly wrongTarget?: FenceTarget;
  /** All that is secret to the fencer, such as its password, and what is made of it, such as a token. */
  readonly secrets: readonly string[];
  /** All of them so far, in order; of the wrong machine, too. Those that were refused count. */
  harms(): readonly FenceHarm[];
  /** Of the machine of `target`. */
  truth(): MachineTruth;
  /** Changes how the device behaves, and nothing of what it has done. Holds once it has resolved. */
  set(condition: DeviceCondition): void | Promise<void>;
  /** Those that run at this moment. Absent: the fencer starts none. */
  processes?(): readonly FencerProcess[];
}

/** See {@link fencerConformance}. Of all times, longer ones make a longer suite, and shorter ones one that fails on a busy machine. */
export interface FencerBench {
  /** Called once or several times for each case; scenes know nothing of each other. */
  open(): Promise<FencerScene>;
  /** How much longer an answer of a `slow` device takes, in milliseconds. Default 1,000. */
  readonly slowMs?: number;
  /**
   * How long it may take at most from the moment at which a fencer lets a request go until it counts as a harm, in milliseconds. At
   * most a quarter of `slowMs`. Default 200; a program that is started takes longer.
   */
  readonly arrivalMs?: number;
  /** How soon a fencer lets go once its signal aborts, in milliseconds. Default 1,000. */
  readonly graceMs?: number;
  /**
   * How long a fence of a device that is well may take, from the first question until it is proven, in milliseconds. Default
   * 30,000. What `slow` takes may be four times that.
   */
  readonly patienceMs?: number;
  /** For every wait of the suite and of the fencer. Default: real time. */
  readonly clock?: Clock;
  /** Cases that don't apply, and why. Each that isn't named here is tried. */
  readonly except?: Readonly<Partial<Record<FencerCaseId, string>>>;
}
