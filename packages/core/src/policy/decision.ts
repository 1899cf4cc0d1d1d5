// The policy's answer for one dead node: act, or hold with all the reasons.
import type { Guard, GuardInput, GuardVerdict } from './guard.ts';
import { failedWith, verdictOf } from './guard-answer.ts';
import { blind } from './guards/blind.ts';
import { budget } from './guards/budget.ts';
import { controlPlane } from './guards/control-plane.ts';
import { evidence } from './guards/evidence.ts';
import { excluded } from './guards/excluded.ts';
import { fenceCheck } from './guards/fence-check.ts';
import { hung } from './guards/hung.ts';
import { maintenance } from './guards/maintenance.ts';
import { newerRecord } from './guards/newer-record.ts';
import { paused } from './guards/paused.ts';
import { queue } from './guards/queue.ts';
import { undone } from './guards/undone.ts';

/** One guard's verdict. */
export interface NamedVerdict {
  /** The guard's name. */
  readonly guard: string;
  /** What it said. */
  readonly verdict: GuardVerdict;
}

/** The answer of all guards together. */
export interface Decision {
  /** `hold` as soon as one guard holds. */
  readonly action: 'act' | 'hold';
  /** Every guard's verdict, in the order in which they were asked. */
  readonly verdicts: readonly NamedVerdict[];
  /** When to look again, if every guard that holds knows a time; else the next change decides. */
  readonly nextCheckAt: number | undefined;
}

/** The guards that always apply, in the order in which their reasons are told. */
export const builtInGuards: readonly Guard[] = [
  blind,
  paused,
  maintenance,
  excluded,
  newerRecord,
  controlPlane,
  evidence,
  hung,
  fenceCheck,
  budget,
  undone,
  queue,
];

/**
 * Asks *all* guards, not only up to the first that holds: whoever is woken at night wants every reason at once. A
 * guard that throws holds, and so does one whose answer is no verdict: the reason says what was found instead.
 */
export function decide(input: GuardInput, guards: readonly Guard[] = builtInGuards): Decision {
  const verdicts = guards.map((guard) => ({ guard: guard.name, verdict: evaluateSafely(guard, input) }));
  const holding = verdicts.flatMap(({ verdict }) => (verdict.outcome === 'hold' ? [verdict] : []));
  const times = holding.flatMap(({ until }) => (until === undefined ? [] : [until]));
  return {
    action: holding.length === 0 ? 'act' : 'hold',
    verdicts,
    nextCheckAt: holding.length > 0 && times.length === holding.length ? Math.max(...times) : undefined,
  };
}

/** The reasons of the guards that hold, each with its guard's name. */
export function holdReasons(decision: Decision): readonly string[] {
  return decision.verdicts.flatMap(({ guard, verdict }) =>
    verdict.outcome === 'hold' ? [`${guard}: ${verdict.reason}`] : [],
  );
}

/** Whether a takeover that has begun may do harm now: only the guards that are brakes are asked. */
export function decideByBrakes(input: GuardInput, guards: readonly Guard[]): Decision {
  return decide(
    input,
    guards.filter(({ brake }) => brake === true),
  );
}

function evaluateSafely(guard: Guard, input: GuardInput): GuardVerdict {
  try {
    return verdictOf(guard.evaluate(input));
  } catch (error) {
    return failedWith(error);
  }
}
