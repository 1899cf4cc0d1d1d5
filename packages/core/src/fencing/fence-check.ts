// What can be known of a fence before it is needed: whether the device answers, for the right machine, and would obey.
import type { Clock } from '../time/clock.ts';
import type { FenceEvidence } from './proof.ts';

/** What a fencer gets for a look that changes nothing. */
export interface FenceCheckContext {
  /** Aborts when the answer has taken too long, or nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** For every wait, and for what the evidence says of time. */
  readonly clock: Clock;
}

/** What a look at a fence device came to. */
export interface FenceCheck {
  /**
   * - `ready`: nothing speaks against a fence at this moment.
   * - `not-ready`: something does; `detail` says what.
   * - `no-device`: there is nothing that could be asked, such as with a human; where something should be, as the guard of a
   *   watchdog, that counts as not ready.
   */
  readonly outcome: 'ready' | 'not-ready' | 'no-device';
  /**
   * Which machine the device would act on. `matched`: the device's word and the Node's agree. `chosen`: nothing tells, so it is
   * the one that the operator named. `mismatched`: another one, or several. `unknown`: nobody got to ask.
   */
  readonly machine: 'matched' | 'chosen' | 'mismatched' | 'unknown';
  /** What the device says of the machine's power. */
  readonly power: 'on' | 'off' | 'unknown';
  /** Whether our account may switch it. Many devices say so only when it is tried. */
  readonly mayAct: 'yes' | 'no' | 'unknown';
  /** For people; stable, as with every answer of a fencer. */
  readonly detail: string;
  /** Who answered what; the last ten are kept. */
  readonly evidence?: readonly FenceEvidence[];
}

/** For a fencer that has no device. */
export function noDevice(detail: string): FenceCheck {
  return { outcome: 'no-device', machine: 'unknown', power: 'unknown', mayAct: 'unknown', detail };
}
