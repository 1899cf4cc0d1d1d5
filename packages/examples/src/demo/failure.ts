// The two ends of a demo that aren't a recovery: it failed in a way that can be told in a sentence, or somebody stopped it.

/** Something that the demo needed did not come about. The message is for people. */
export class DemoFailure extends Error {
  override readonly name = 'DemoFailure';
  readonly code = 'LIBERATOR_DEMO';
}

/** What was given on the command line can't be used. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'LIBERATOR_DEMO_USAGE';
}

/** Ctrl-C, or a signal that means the same. */
export class Interruption extends Error {
  override readonly name = 'Interruption';
  readonly code = 'LIBERATOR_DEMO_INTERRUPTED';
}

/** One line of what an error says. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return message.replaceAll(/\s*\n\s*/g, ' ').trim();
}
