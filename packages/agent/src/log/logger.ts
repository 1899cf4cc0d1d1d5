// Log lines on stdout: one JSON object each for machines, or one readable line each for people.
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import type { Config, LogConfig } from '../config/config.ts';
import { prettyLine } from './pretty-line.ts';

/** What happened, as a word that machines may rely on. The README has the fields of each. */
type LogEvent =
  | 'starting'
  | 'listening'
  | 'waiting'
  | 'config'
  | 'ready'
  | 'health'
  | 'decision'
  | 'return'
  | 'trouble'
  | 'confirmation'
  | 'omitted'
  | 'record-set-aside'
  | 'takeover'
  | 'observed'
  | 'fence-check'
  | 'journal'
  | 'guard'
  | 'leadership'
  | 'sight'
  | 'error'
  | 'stopping'
  | 'stopped';

type Fields = { readonly event: LogEvent } & Readonly<Record<string, unknown>>;

export type LogLevel = LogConfig['level'];

/** Writes before it returns, so that the last line of a dying process is there. */
export interface Logger {
  log(level: LogLevel, fields: Fields, message: string): void;
  /** With the error's stack, for lines that carry one at the level `debug` only. */
  isDebug(): boolean;
}

/**
 * @param config its mode is said in each line, unless it is the usual one.
 * @param destination takes whole lines. Default: stdout.
 */
export function createLogger(
  config: LogConfig & { readonly mode?: Config['mode'] },
  identity: string,
  destination: DestinationStream = pino.destination({ dest: 1, sync: true }),
): Logger {
  const logger: PinoLogger = pino(
    {
      level: config.level,
      // Whoever reads that a node would be taken over must not wait for that to happen.
      base: { identity, ...(config.mode === 'observe' && { mode: config.mode }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    config.format === 'pretty'
      ? { write: (line: string) => destination.write(`${prettyLine(line)}\n`) }
      : destination,
  );
  return {
    log: (level, fields, message) => logger[level](fields, message),
    isDebug: () => logger.isLevelEnabled('debug'),
  };
}
