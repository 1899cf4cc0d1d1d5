// `liberator status`: once, or again and again.
import { createReader, type KubernetesReader, sleep, systemClock } from '@liberator/core';
import { openCallersCluster } from '../cluster/callers-cluster.ts';
import type { PlaceFlags } from '../cluster/place.ts';
import { type Place, placeOf } from '../cluster/place.ts';
import { FatalError, sentenceOf } from '../process/failure.ts';
import { json, lines, type OutputStream, widthOf } from '../text/output.ts';
import type { OutputFlags } from '../text/output-option.ts';
import { readSources } from './read-sources.ts';
import { statusText } from './status-text.ts';
import { newsInView, type StatusView, viewStatus } from './status-view.ts';

export interface StatusFlags extends PlaceFlags, OutputFlags {
  readonly watch?: boolean;
}

/** As often as a leader tells something new, at most. */
const lookEveryMs = 2_000;

/** With `--watch` it goes on until the process is interrupted. */
export async function showStatus(flags: StatusFlags): Promise<void> {
  const transport = openCallersCluster(flags, 'liberator status');
  try {
    const reader = createReader({ transport });
    const place = placeOf(flags);
    if (flags.watch !== true) {
      const view = await look(reader, place);
      process.stdout.write(
        flags.output === 'json' ? json(view, 2) : lines(statusText(view, widthOf(process.stdout))),
      );
      return;
    }
    const show = watcher(process.stdout, flags.output);
    for (;;) {
      show(await lookOrFail(reader, place));
      await sleep(systemClock, lookEveryMs);
    }
  } finally {
    await transport.close();
  }
}

async function look(reader: KubernetesReader, place: Place): Promise<StatusView> {
  const sources = await readSources(reader, place);
  return viewStatus(sources, new Date().toISOString());
}

/** Who watches wants to see what comes after an outage, too. */
async function lookOrFail(reader: KubernetesReader, place: Place): Promise<StatusView | Error> {
  try {
    return await look(reader, place);
  } catch (error) {
    if (error instanceof FatalError) throw error;
    return new Error(sentenceOf(error), { cause: error });
  }
}

/**
 * Draws over what it drew before on a terminal; elsewhere it writes a block, or a line of JSON, whenever there is news.
 */
export function watcher(
  stream: OutputStream,
  output: StatusFlags['output'],
): (seen: StatusView | Error) => void {
  let told: string | undefined;
  let last: readonly string[] = [];
  return (seen) => {
    const failed = seen instanceof Error;
    if (stream.isTTY === true && output !== 'json') {
      const trouble = failed ? [`${seen.message}; trying again`, ''] : [];
      if (!failed) last = statusText(seen, widthOf(stream));
      const room = Math.max(1, (stream.rows ?? 24) - 1);
      // Home, and away with everything: what was there before stays in nobody's way.
      stream.write(`\u001B[H\u001B[2J${lines([...trouble, ...last].slice(0, room))}`);
      return;
    }
    const news = failed ? seen.message : newsInView(seen);
    if (news === told) return;
    const first = told === undefined;
    told = news;
    if (output === 'json') stream.write(json(failed ? { version: 1, error: seen.message } : seen));
    else if (failed) stream.write(`${first ? '' : '\n'}${seen.message}; trying again\n`);
    else stream.write(`${first ? '' : '\n'}${lines([seen.at, ...statusText(seen, undefined)])}`);
  };
}
