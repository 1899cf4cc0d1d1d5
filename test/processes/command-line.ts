// What programs for trying and measuring have in common: numbers read from the command line, and an answer to whoever mistypes.

/** Thrown for a command line that makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Runs a command and sets the exit code: what it resolves with, or 2 with the usage when it was called wrongly. */
export async function runCommand(usage: string, command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command();
  } catch (error) {
    if (!isAboutUsage(error)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    process.exitCode = 2;
  }
}

/** @throws {@link UsageError} for anything but a whole number of at least `least` */
export function whole(option: string, text: string, least = 0): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`--${option}: expected a whole number of at least ${least}, found "${text}"`);
}

/** Whole numbers with commas between them; `none` for no number at all. @throws {@link UsageError} for anything else */
export function wholes(option: string, text: string): readonly number[] {
  return text === 'none' ? [] : text.split(',').map((one) => whole(option, one));
}

/** @throws {@link UsageError} for anything but one of `choices` */
export function oneOf(option: string, text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  throw new UsageError(`--${option}: expected one of ${choices.join(', ')}; found "${text}"`);
}

/** Ours, or one of `parseArgs`. */
function isAboutUsage(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
