// SIGTERM and SIGINT: the first one asks to stop in good order, the second one ends the process at once.
import { exitCode } from '../exit-code.ts';

export interface StopRequest extends Disposable {
  /** Aborts with the first signal. */
  readonly signal: AbortSignal;
}

type StopSignal = keyof typeof exitCode.signalled;

const stopSignals = Object.keys(exitCode.signalled) as readonly StopSignal[];

export function onStopSignals(onFirst: (signal: StopSignal) => void): StopRequest {
  const stop = new AbortController();
  const listener = (signal: StopSignal): void => {
    if (stop.signal.aborted) process.exit(exitCode.signalled[signal]);
    onFirst(signal);
    stop.abort();
  };
  for (const signal of stopSignals) process.on(signal, listener);
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      for (const signal of stopSignals) process.off(signal, listener);
    },
  };
}
