// However a process that logs comes to its end, its last line says why.
import { exitCode } from '../process/exit-code.ts';
import { codeOf, FatalError, sayOnStderr, sentenceOf } from '../process/failure.ts';
import type { Logger } from './logger.ts';

/**
 * Does the work of this process, and logs what ended it unless it ended as it should.
 *
 * @throws {@link FatalError} for whatever `act` throws.
 */
export async function withLastWord(logger: Logger, act: () => Promise<void>): Promise<void> {
  // Nobody can say what state the process is in, so it must not lead any longer. Rejections come here, too.
  process.on('uncaughtException', (error) => {
    const failure = failureOf(error);
    logLast(failure, logger);
    sayOnStderr(failure.message);
    process.exit(failure.exitCode);
  });
  try {
    await act();
  } catch (error) {
    const failure = failureOf(error);
    logLast(failure, logger);
    throw failure;
  }
}

function logLast(error: FatalError, logger: Logger): void {
  const { cause, code } = error;
  const stack = logger.isDebug() ? (cause instanceof Error ? cause.stack : error.stack) : undefined;
  const fields = {
    event: 'stopped',
    code,
    exitCode: error.exitCode,
    ...(stack !== undefined && { stack }),
  } as const;
  logger.log('error', fields, error.message);
}

function failureOf(error: unknown): FatalError {
  if (error instanceof FatalError) return error;
  return new FatalError(`something unexpected happened: ${sentenceOf(error)}`, {
    code: codeOf(error) ?? 'LIBERATOR_UNEXPECTED',
    exitCode: exitCode.failed,
    cause: error,
  });
}
