// How anything that went wrong becomes one sentence for people.

/** Ends the process: one sentence on stderr, and the exit code that goes with it. */
export class FatalError extends Error {
  override readonly name: string = 'FatalError';
  readonly code: string;
  readonly exitCode: number;

  constructor(message: string, options: { code: string; exitCode: number; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.code = options.code;
    this.exitCode = options.exitCode;
  }
}

/** One line of what an error says. Never a stack. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return message.replaceAll(/\s*\n\s*/g, ' ').trim();
}

/** One line for each line of `text`, each with our name before it. */
export function sayOnStderr(text: string): void {
  for (const line of text.split('\n')) process.stderr.write(`liberator: ${line}\n`);
}

/** Its stable code, when it has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
