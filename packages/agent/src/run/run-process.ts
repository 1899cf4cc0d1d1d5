// What an agent is as a process: a configuration file in, a log on stdout, a last word however it ends.

import type { ClusterFlags } from '../cluster/flags.ts';
import type { Config } from '../config/config.ts';
import { readConfig } from '../config/read-config.ts';
import { withLastWord } from '../log/last-word.ts';
import { createLogger } from '../log/logger.ts';
import { runAgent } from './run-agent.ts';

export interface RunFlags extends ClusterFlags {
  readonly config: string;
  /** Milliseconds. */
  readonly startupTimeout: number;
  /** Whatever the configuration says. */
  readonly observe?: boolean;
  readonly record?: string;
  /** Bytes. */
  readonly recordSize?: number;
}

/** @throws FatalError for every end but the one that was asked for. */
export async function runProcess(flags: RunFlags): Promise<void> {
  const { config: configured, warnings } = readConfig(flags.config);
  const config = withFlags(configured, flags);
  const logger = createLogger({ ...config.log, mode: config.mode }, config.identity);
  for (const warning of warnings) logger.log('warn', { event: 'config' }, warning);
  await withLastWord(logger, () =>
    runAgent({
      config,
      logger,
      cluster: flags,
      startupTimeoutMs: flags.startupTimeout,
    }),
  );
}

/** What was said on the command line goes before what a file says. */
function withFlags(config: Config, { observe, record, recordSize }: RunFlags): Config {
  const { mode, journal } = config;
  return {
    ...config,
    mode: observe === true ? 'observe' : mode,
    journal: {
      ...journal,
      ...(record !== undefined && { file: record }),
      ...(recordSize !== undefined && { size: recordSize }),
    },
  };
}
