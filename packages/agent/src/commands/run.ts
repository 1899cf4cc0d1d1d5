// `liberator run`: the agent itself.
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { readConfig } from '../config/read-config.ts';
import { DurationError, parseDuration } from '../duration.ts';
import { exitCode } from '../exit-code.ts';
import { codeOf, FatalError, sentenceOf } from '../failure.ts';
import { createLogger, type Logger } from '../log/logger.ts';
import { runAgent } from '../run/run-agent.ts';

interface RunFlags {
  readonly config: string;
  readonly kubeconfig?: string;
  readonly startupTimeout: number;
}

export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description('watch nodes and, as the leader, take over those that died')
    .requiredOption('-c, --config <file>', 'the configuration, as YAML')
    .option('--kubeconfig <file>', "how to reach the cluster (default: the pod's service account)")
    .addOption(
      new Option('--startup-timeout <duration>', 'how long to wait for the API server at the start')
        .argParser(duration)
        .default(30_000, '30s'),
    )
    .action(run);
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof DurationError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

async function run(flags: RunFlags): Promise<void> {
  const { config, warnings } = readConfig(flags.config);
  const logger = createLogger(config.log, config.identity);
  for (const warning of warnings) logger.log('warn', { event: 'config' }, warning);
  process.on('uncaughtException', (error) => {
    const failure = failureOf(error);
    report(failure, logger);
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
    report(failure, logger);
    throw failure;
  }
}

/** The last log line. `main` says the same sentence on stderr. */
function report(error: FatalError, logger: Logger): void {
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
