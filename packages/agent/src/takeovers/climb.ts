// How far the ladder of a takeover was climbed: which rung has its turn, how much of its time is left, what the others said. Pure.
import { ladderOf, manualFencer, noneFencer, type RungRecord, type TakeoverRecord } from '@liberator/core';

/** One rung, when it had its turn last. */
export interface RungView {
  readonly fencer: string;
  readonly round: number;
  /** ISO 8601, wall clock of the leader that began it. */
  readonly startedAt: string;
  /** How long it was asked, in milliseconds, without what brakes took; as far as the record knows. */
  readonly tookMs: number;
  /** `proof`: it gave the one that counts. `asked`: it has its turn. Else why it was over. */
  readonly state: 'proof' | 'asked' | NonNullable<RungRecord['end']>;
  /** Only while it has its turn: how much of its time is left, in milliseconds; up to some seconds less by now. */
  readonly leftMs?: number;
  /** What it answered last. */
  readonly detail?: string;
}

/** Those that had a turn, in their order on the ladder. Empty where nobody was asked that may harm, or one after another. */
export function rungsOf(record: TakeoverRecord): readonly RungView[] {
  const { climb, policy, steps, fencer, proof } = record;
  if (climb === undefined) return [];
  const { rungs } = ladderOf(policy, (name) => name === manualFencer.name || name === noneFencer.name);
  const isOver = steps.fence?.outcome !== undefined || record.result !== undefined;
  return climb.rungs.map((rung, place): RungView => {
    const gave = proof !== undefined && rung.fencer === fencer;
    const asked = !isOver && !gave && place === climb.rung && rung.overMs === undefined;
    const untilMs = rung.overMs ?? Math.max(rung.beganMs, steps.fence?.spentMs ?? rung.beganMs);
    const tookMs = untilMs - rung.beganMs;
    const forMs = rungs[place]?.forMs ?? 0;
    return {
      fencer: rung.fencer,
      round: rung.round,
      startedAt: rung.startedAt,
      tookMs,
      state: gave ? 'proof' : asked ? 'asked' : (rung.end ?? 'time-out'),
      ...(asked && { leftMs: Math.max(0, forMs - tookMs) }),
      ...(rung.detail !== undefined && { detail: rung.detail }),
    };
  });
}
