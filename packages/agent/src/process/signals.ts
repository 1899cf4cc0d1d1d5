// SIGTERM and SIGINT: the first one asks to stop in good order, and bounds how long that may take; the second one ends
// the process at once.
import { systemClock, type TimerHandle } from '@liberator/core';
import { formatDuration } from '../text/duration.ts';
import { exitCode } from './exit-code.ts';
import { sayOnStderr } from './failure.ts';

export type StopSignal = keyof typeof exitCode.signalled;

export interface StopRequest extends Disposable {
  /** Aborts with the first signal. */
  readonly signal: AbortSignal;
}

const stopSignals = Object.keys(exitCode.signalled) as readonly StopSignal[];

/** Whoever asks to stop has a limit of its own, a kubelet 30 s by default: better to go while we can still say why. */
const longestStopMs = 15_000;

/** Signals have their usual effect again once it is disposed. */
export function onStopSignals(onFirst: (signal: StopSignal) => void): StopRequest {
  const stop = new AbortController();
  let limit: TimerHandle | undefined;
  const listener = (signal: StopSignal): void => {
    if (stop.signal.aborted) process.exit(exitCode.signalled[signal]);
    limit = systemClock.setTimeout(giveUp, longestStopMs);
    onFirst(signal);
    stop.abort();
  };
  for (const signal of stopSignals) process.on(signal, listener);
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      systemClock.clearTimeout(limit);
      for (const signal of stopSignals) process.off(signal, listener);
    },
  };
}

function giveUp(): never {
  const limit = formatDuration(longestStopMs);
  sayOnStderr(`could not stop in good order within ${limit}, so it ends as it is`);
  process.exit(exitCode.failed);
}
