// A size on the command line: "64MiB" becomes bytes, anything else one sentence.
import { InvalidArgumentError } from 'commander';
import { parseSize, SizeError } from './size.ts';

export function sizeArgument(text: string): number {
  try {
    return parseSize(text);
  } catch (error) {
    if (error instanceof SizeError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}
