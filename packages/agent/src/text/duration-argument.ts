// A duration on the command line: "30s" becomes milliseconds, anything else one sentence.
import { InvalidArgumentError } from 'commander';
import { DurationError, parseDuration } from './duration.ts';

export function durationArgument(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof DurationError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}
