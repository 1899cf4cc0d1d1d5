// What an agent is as a process: a configuration file in, a log on stdout, a last word however it ends.
import type { RunFlags } from '../commands/run.ts';
import { readConfig } from '../config/read-config.ts';
import { exitCode } from '../exit-code.ts';
import { codeOf, FatalError, sayOnStderr, sentenceOf } from '../failure.ts';
import { createLogger, type Logger } from '../log/logger.ts';
import { runAgent } from './run-agent.ts';

/** @throws {@link FatalError} for every end but the one that was asked for. */
export async function runProcess(flags: RunFlags): Promise<void> {
  const { config, warnings } = readConfig(flags.config);
  const logger = createLogger(config.log, config.identity);
  for (const warning of warnings) logger.log('warn', { event: 'config' }, warning);
  // Nobody can say what state the process is in, so it must not lead any longer. Rejections come here, too.
  process.on('uncaughtException', (error) => {
    const failure = failureOf(error);
    logLast(failure, logger);
    sayOnStderr(failure.message);
    process.exit(failure.exitCode);
  });
  try {
    await runAgent({
      config,
      logger,
      kubeConfigPath: flags.kubeconfig,
      startupTimeoutMs: flags.startupTimeout,
    });
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
