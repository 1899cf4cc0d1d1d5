// What an agent is as a process: a configuration file in, a log on stdout, a last word however it ends.

import type { ClusterFlags } from '../cluster/flags.ts';
import { readConfig } from '../config/read-config.ts';
import { withLastWord } from '../log/last-word.ts';
import { createLogger } from '../log/logger.ts';
import { runAgent } from './run-agent.ts';

export interface RunFlags extends ClusterFlags {
  readonly config: string;
  /** Milliseconds. */
  readonly startupTimeout: number;
}

/** @throws FatalError for every end but the one that was asked for. */
export async function runProcess(flags: RunFlags): Promise<void> {
  const { config, warnings } = readConfig(flags.config);
  const logger = createLogger(config.log, config.identity);
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
