// What every controller is given and how it is started and stopped.
import type { Clock, Random } from '@liberator/core';
import { StatusError } from '../store/status-error.ts';
import type { Store, WriteContext } from '../store/store.ts';
import type { Timings } from './timings.ts';

/** What a controller works with. It has no other source of time or chance, so a seed replays it. */
export interface ControllerContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly timings: Timings;
  /** Called with what a controller could not cope with; it goes on with a later attempt. */
  readonly report: (error: unknown, where: string) => void;
}

/** One control loop. */
export interface Controller {
  start(): void;
  /** Idempotent. Nothing of this controller acts afterwards. */
  stop(): void;
}

/**
 * Calls `tick` every `periodMs`, for the first time after a random part of it: in a real cluster nobody knows where in
 * its period a loop is when a node dies. Returns what ends it.
 */
export function every(
  context: Pick<ControllerContext, 'clock' | 'random' | 'report'>,
  periodMs: number,
  where: string,
  tick: () => void,
): () => void {
  const { clock, random, report } = context;
  const run = (): void => {
    timer = clock.setTimeout(run, periodMs);
    try {
      tick();
    } catch (error) {
      report(error, where);
    }
  };
  let timer = clock.setTimeout(run, random.next() * periodMs);
  return () => clock.clearTimeout(timer);
}

/** The name under which a part of the simulated cluster itself writes, past the API server. */
export interface ComponentContext extends WriteContext {
  readonly fromInside: true;
}

/** Whether a write came from a controller or a kubelet of the simulation rather than through its API server. */
export function isFromInside(context: WriteContext): context is ComponentContext {
  return 'fromInside' in context;
}

/** Whether the store said no in a way that trying again may cure. */
export function isRefusal(error: unknown): error is StatusError {
  return error instanceof StatusError;
}
