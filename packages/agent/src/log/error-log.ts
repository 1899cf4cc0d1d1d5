// One log line for what failed and is tried again, however often it comes.
import type { Clock, ControllerError } from '@liberator/core';
import { codeOf, sentenceOf } from '../process/failure.ts';
import { formatDuration } from '../text/duration.ts';
import type { Logger } from './logger.ts';
import { counted, Repetition, timesOf } from './repetition.ts';

/** @param repeated what was told already, shared with whoever else writes about the same things */
export function errorLog(
  logger: Logger,
  clock: Clock,
  repeated: Repetition = new Repetition(),
): (trouble: ControllerError) => void {
  return ({ where, error, retryInMs }) => {
    const sentence = `${where}: ${sentenceOf(error)}`;
    const code = codeOf(error);
    const times = repeated.countToTell(sentence, clock.now());
    if (times === 0) return;
    const fields = {
      event: 'error',
      where,
      ...(code !== undefined && { code }),
      ...(retryInMs !== undefined && { retryInMs: Math.round(retryInMs) }),
      ...counted(times),
      ...(logger.isDebug() && error instanceof Error && { stack: error.stack }),
    } as const;
    const again = retryInMs === undefined ? '' : `; trying again in ${formatDuration(roughly(retryInMs))}`;
    logger.log('error', fields, sentence + again + timesOf(times));
  };
}

/** Nobody wants to read "1s267ms". */
function roughly(ms: number): number {
  return ms < 1_000 ? Math.round(ms / 100) * 100 : Math.round(ms / 1_000) * 1_000;
}
