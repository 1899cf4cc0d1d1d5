// How a program of ours ends: what signals do to it, what it says of what went wrong, and its exit code.
import { DemoFailure, Interruption, sentenceOf, UsageError } from './failure.ts';

/** Exit codes of the demo and of every example, as their help tells them. */
export const exitCode = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export interface Told {
  /** Begins what is said of an error, so that it is clear who speaks. */
  readonly name: string;
  /** What people call it: "the demo". */
  readonly called: string;
}

/**
 * Runs `act` and returns the exit code; whatever went wrong has been said then. The first signal aborts, so that all ends in
 * good order; the second one ends this process.
 */
export async function withOutcome(
  { name, called }: Told,
  act: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const interruption = new AbortController();
  const onSignal = (): void => {
    if (interruption.signal.aborted) {
      console.error(`Ended at once; on a real cluster, what ${called} created may be left.`);
      process.exit(exitCode.interrupted);
    }
    console.error('\nStopping; once more to end at once.');
    interruption.abort(new Interruption('interrupted'));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await act(interruption.signal);
  } catch (error) {
    if (interruption.signal.aborted) {
      console.error(`Interrupted; what ${called} had started has ended.`);
      return exitCode.interrupted;
    }
    const known = error instanceof UsageError || error instanceof DemoFailure;
    console.error(`${name}: ${known ? '' : 'unexpected: '}${sentenceOf(error)}`);
    return error instanceof UsageError ? exitCode.usage : exitCode.failed;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}
