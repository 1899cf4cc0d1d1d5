// `liberator replay`: what was decided, or would have been by another configuration. Needs files and nothing else.
import { Replay, type ReplayEvent, type ReplayRules } from '@liberator/core';
import { controllerSettings } from '../config/controller-settings.ts';
import { readConfig } from '../config/read-config.ts';
import { json, lines, widthOf } from '../text/output.ts';
import type { OutputFlags } from '../text/output-option.ts';
import { differences, outcomesOf } from './outcome.ts';
import { type JournalFile, openJournals, readEntries } from './read-journal.ts';
import { replayText } from './replay-text.ts';

export interface ReplayFlags extends OutputFlags {
  readonly config?: string;
  readonly node?: string;
}

/** @throws FatalError for a file that is no journal, or a configuration that can't be used. */
export async function replayJournal(paths: readonly string[], flags: ReplayFlags): Promise<void> {
  const rules = flags.config === undefined ? undefined : rulesOf(flags.config);
  const files = await openJournals(paths);
  const events = await replayed(files, rules);
  const compared = rules && differences(outcomesOf(await replayed(files, undefined)), outcomesOf(events));
  const { node } = flags;
  const told = compared?.filter((one) => node === undefined || one.node === node);
  if (flags.output === 'json') {
    const some = events.filter((event) => node === undefined || !('node' in event) || event.node === node);
    process.stdout.write(json({ version: 1, events: some, ...(told && { differences: told }) }, 2));
    return;
  }
  const view = { events, ...(told && { differences: told }), ...(node !== undefined && { node }) };
  process.stdout.write(lines(replayText(view, widthOf(process.stdout))));
}

function rulesOf(path: string): ReplayRules {
  // Where a replica lives and what it is called decides nothing, and many a file leaves that to its pod.
  const { config } = readConfig(path, { namespace: 'replay', identity: 'replay' });
  const { policies, sight } = controllerSettings(config);
  return { policies, ...(sight && { sight }) };
}

async function replayed(
  files: readonly JournalFile[],
  rules: ReplayRules | undefined,
): Promise<readonly ReplayEvent[]> {
  const replay = new Replay(rules);
  const events: ReplayEvent[] = [];
  for (const file of files) {
    events.push(...replay.begin(file.head));
    for await (const entry of readEntries(file)) events.push(...replay.feed(entry));
  }
  return events;
}
