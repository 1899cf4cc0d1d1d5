// Recording into real files: what is in them, how large they become, and what comes of a disk that doesn't take it.

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JournalHead, Replay, readJournalHead, readJournalLine } from '@liberator/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { worldOf } from '../../../core/src/replay.ts';
import { openJournals, readEntries } from './read-journal.ts';
import { type Recorded, Recorder, type RecorderOptions } from './recorder.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'liberator-journal-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const head = {
  liberator: 'journal',
  version: 1,
  identity: 'a',
  at: 0,
  wall: '2026-01-01T00:00:00.000Z',
  since: 0,
} as const;
const rules = {
  mode: 'act',
  policies: [],
  sight: { renewalEchoMs: 1, heartbeatIntervalMs: 1, togetherMs: 1 },
  guards: [],
} as const;

/** Somebody who knows nothing but how to begin. */
const recorded: Recorded = {
  journalHead: ({ program, part }): JournalHead => ({ ...head, ...rules, program, part }),
  journalSnapshot: () => [
    {
      kind: 'known',
      at: 0,
      world: {
        watches: { synced: true, stale: [] },
        blind: [],
        missedHeartbeats: false,
        heardMost: true,
        judgesFrom: 0,
        forgetsAt: 0,
        orphanLeases: {},
        deaths: [],
      },
    },
    { kind: 'known-all', at: 0 },
  ],
};

async function recorder(file: string, more: Partial<RecorderOptions> = {}) {
  const ends: unknown[] = [];
  const gaps: number[] = [];
  const one = await Recorder.open({
    file,
    size: 65_536,
    keep: 3,
    program: 'test',
    onEnd: (error) => ends.push(error),
    onGap: (facts) => gaps.push(facts),
    ...more,
  });
  one.begin(recorded);
  return { one, ends, gaps };
}

const linesOf = (file: string): readonly string[] => readFileSync(file, 'utf8').trimEnd().split('\n');

const renewal = (i: number) =>
  ({ kind: 'lease', name: `node-${i}`, renewTime: '2026-01-01T00:00:00.000000Z' }) as const;

describe('a recorder', () => {
  it('writes what came in after a head, for nobody else to read', async () => {
    const file = join(folder(), 'journal');
    const { one } = await recorder(file);
    one.note(renewal(1), 1.5);
    one.note({ kind: 'wake' }, 2);
    await one[Symbol.asyncDispose]();
    const [first = '', ...rest] = linesOf(file);
    expect(readJournalHead(first)).toMatchObject({ part: 1, program: 'test' });
    expect(rest.map((line) => readJournalLine(line))).toEqual([
      { kind: 'fact', at: 1.5, fact: renewal(1) },
      { kind: 'fact', at: 2, fact: { kind: 'wake' } },
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('keeps so many files of such a size, each of which can be replayed by itself', async () => {
    const file = join(folder(), 'journal');
    const { one } = await recorder(file);
    for (let i = 0; i < 6_000; i++) {
      one.note(renewal(i), i);
      if (i % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await one[Symbol.asyncDispose]();
    const files = [file, `${file}.1`, `${file}.2`];
    expect(existsSync(`${file}.3`)).toBe(false);
    let facts = 0;
    for (const path of files) {
      expect(statSync(path).size).toBeLessThan(65_536 + 40_000);
      const events: string[] = [];
      for (const opened of await openJournals([path])) {
        const replay = new Replay();
        events.push(...replay.begin(opened.head).map(({ kind }) => kind));
        for await (const entry of readEntries(opened)) replay.feed(entry);
        expect(worldOf(replay)).toBeDefined();
        facts += worldOf(replay)?.ledger.orphanLeases.size ?? 0;
      }
      expect(events).toEqual(['begins']);
    }
    expect(facts).toBeGreaterThan(500);
    const inOrder = await openJournals(files);
    expect(inOrder.map(({ path }) => path)).toEqual(files.toReversed());
    const replay = new Replay();
    const continued = inOrder.flatMap((opened) => replay.begin(opened.head));
    expect(continued.slice(1)).toMatchObject([{ continues: false }, { continues: false }]);
  }, 20_000);

  it('leaves out what a disk does not take in time, says so, and begins anew with what is known', async () => {
    const file = join(folder(), 'journal');
    const { one, gaps } = await recorder(file, { mostWaiting: 2_000 });
    for (let i = 0; i < 100; i++) one.note(renewal(i), i);
    await one[Symbol.asyncDispose]();
    const entries = linesOf(file)
      .slice(1)
      .map((line) => readJournalLine(line));
    const kept = entries.filter(({ kind }) => kind === 'fact').length;
    expect(entries.slice(kept)).toMatchObject([
      { kind: 'gap', facts: 100 - kept },
      { kind: 'known' },
      { kind: 'known-all' },
    ]);
    expect(gaps).toEqual([100 - kept]);
  });

  it('keeps what an earlier life left there', async () => {
    const file = join(folder(), 'journal');
    writeFileSync(file, 'of before\n');
    await using _ = (await recorder(file)).one;
    expect(readFileSync(`${file}.1`, 'utf8')).toBe('of before\n');
  });

  it.each(['', 'nowhere/journal'])(
    'is refused in one sentence where nothing can be written: "%s"',
    async (name) => {
      const path = join(folder(), name);
      await expect(recorder(path)).rejects.toMatchObject({
        message: expect.stringMatching(/^could not write the journal .*: E(ISDIR|NOENT)/),
        code: 'LIBERATOR_JOURNAL',
      });
    },
  );

  it.skipIf(!existsSync('/dev/full'))(
    'ends with one word when the disk is full, and disturbs nobody',
    async () => {
      const { one, ends } = await recorder('full', { openAnew: () => open('/dev/full', 'w') });
      one.note(renewal(1), 1);
      await one[Symbol.asyncDispose]();
      one.note(renewal(2), 2);
      expect(ends).toMatchObject([{ code: 'ENOSPC' }]);
      expect(one.ended).toBe(true);
    },
  );
});

describe('a journal', () => {
  it('whose last line is half there is read up to it', async () => {
    const file = join(folder(), 'journal');
    const { one } = await recorder(file);
    one.note({ kind: 'wake' }, 2);
    await one[Symbol.asyncDispose]();
    writeFileSync(file, `${readFileSync(file, 'utf8')}[3,"lease","node-1","2026-`);
    const [opened] = await openJournals([file]);
    const entries = [];
    if (opened !== undefined) for await (const entry of readEntries(opened)) entries.push(entry);
    expect(entries).toHaveLength(1);
  });

  it.each([
    ['[3,"lease"\n[4,"wake"]\n', ':2: expected JSON, found something else'],
    ['[3,"nap"]\n', ':2: expected a kind of fact, found "nap"'],
    ['[3,"nap"]', ':2: expected a kind of fact, found "nap"'],
  ])('with a line that is none is refused, with which: %j', async (text, message) => {
    const file = join(folder(), 'journal');
    writeFileSync(file, `${JSON.stringify({ ...head, ...rules, program: 'test', part: 1 })}\n${text}`);
    const read = async (): Promise<void> => {
      for (const opened of await openJournals([file])) for await (const _ of readEntries(opened));
    };
    await expect(read()).rejects.toThrow(`${file}${message}`);
  });

  it('of another version, an empty file or another file is none', async () => {
    const file = join(folder(), 'journal');
    writeFileSync(file, '{"liberator":"journal","version":2}\n');
    await expect(openJournals([file])).rejects.toThrow(
      `${file}:1: expected a journal of version 1, found version 2`,
    );
    writeFileSync(file, '');
    await expect(openJournals([file])).rejects.toThrow('expected a journal, found an empty file');
    await expect(openJournals([`${file}.9`])).rejects.toThrow('could not read the journal');
  });
});
