// What goes into a journal, what stays out of it, and what is refused as one.
import { describe, expect, it } from 'vitest';
import { defaultSightRules } from './evidence/sight.ts';
import { type JournalEntry, type JournalHead, journalHeadLine, journalLine } from './journal-format.ts';
import { readJournalHead, readJournalLine } from './journal-reading.ts';
import type { TakeoverRecord } from './takeover/record.ts';
import { anyNode, nodeNamed } from './testing/fleet-objects.ts';
import type { Fact } from './world-state.ts';

const head: JournalHead = {
  liberator: 'journal',
  version: 1,
  program: '0.1.0',
  identity: 'agent-1_ab',
  part: 1,
  at: 12.5,
  wall: '2026-01-01T00:00:00.000Z',
  since: 10,
  mode: 'act',
  policies: [anyNode],
  sight: defaultSightRules,
  guards: ['blind'],
};

const record: TakeoverRecord = {
  version: 1,
  id: 'd1',
  deathId: 'd1',
  node: { name: 'node-1', uid: 'uid-1', bootId: 'boot-1' },
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: '' },
    addresses: [],
    labels: {},
    annotations: { 'example.com/x': 'hunter2' },
  },
  lastHeartbeat: 't1',
  epoch: 3,
  leader: 'agent-1_ab',
  openedAt: '2026-01-01T00:00:00.000Z',
  evidence: 'unreachable',
  reasons: ['hunter2'],
  verdicts: [],
  policy: { name: 'any', node: 'delete', proof: 'required', drivers: ['ipmi'] },
  confirmedBy: 'hunter2',
  pods: [{ namespace: 'hunter2', name: 'db', uid: 'u', volumes: [] }],
  steps: { fence: { startedAt: '2026-01-01T00:00:00.000Z', epoch: 3, detail: 'password hunter2 refused' } },
  undoing: 'hunter2',
  keepsake: { labels: {}, annotations: { 'example.com/x': 'hunter2' }, taints: [], unschedulable: false },
};

const facts: readonly Fact[] = [
  { kind: 'lease', name: 'n', renewTime: 't' },
  { kind: 'lease', name: 'n', renewTime: undefined, listed: true },
  { kind: 'lease-gone', name: 'n' },
  { kind: 'node-gone', name: 'n' },
  { kind: 'probe', name: 'n', uid: 'u', result: 'mute' },
  { kind: 'probe', name: 'n', uid: 'u', result: 'mute', hostOnly: true },
  { kind: 'watches', synced: true, stale: ['the watch of Nodes is stale'] },
  { kind: 'pause', paused: 'switch maintenance' },
  { kind: 'pause', paused: undefined },
  { kind: 'stalled', forMs: 312.25 },
  { kind: 'term', epoch: 7 },
  { kind: 'term-over' },
  { kind: 'echo', sentAt: 3.75 },
  { kind: 'unread', what: ['records'] },
  { kind: 'record-gone', id: 'd1' },
  { kind: 'set-aside', records: [{ name: 'x', node: undefined, kind: 'newer', problem: 'version 2' }] },
  { kind: 'work', node: 'n', state: 'waits' },
  { kind: 'fence-check', node: 'n', uid: 'u', fencer: 'bmc', outcome: 'not-ready', detail: 'off' },
  { kind: 'wake' },
];

describe('a line of a journal', () => {
  it.each(facts)('is read as the fact that it was: %j', (fact) => {
    const entry: JournalEntry = { kind: 'fact', at: 1_234.567891, fact };
    expect(readJournalLine(journalLine(entry))).toEqual(entry);
  });

  it('of a renewal is short', () => {
    const renewal: Fact = { kind: 'lease', name: 'node-12345', renewTime: '2026-01-01T00:00:00.000000Z' };
    expect(journalLine({ kind: 'fact', at: 86_400_000.125, fact: renewal }).length).toBeLessThan(70);
  });

  it('has every label of a Node, and of its annotations only those that mean something to us', () => {
    const node = nodeNamed('node-1', {
      labels: { 'example.com/role': 'database' },
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': '{"password":"hunter2"}',
        'liberator.dev/paused': 'disk swap',
        'liberator.dev/confirmed-by': 'alice',
      },
    });
    const line = journalLine({ kind: 'fact', at: 1, fact: { kind: 'node', node } });
    expect(line).not.toContain('hunter2');
    const read = readJournalLine(line);
    expect(read).toMatchObject({
      fact: { node: { metadata: { labels: { 'example.com/role': 'database' } } } },
    });
    expect(read).toHaveProperty('fact.node.metadata.annotations', { 'liberator.dev/paused': 'disk swap' });
  });

  it('has nothing of a record that a device, a human or another program said', () => {
    const stored = { record, resourceVersion: '5', annotations: { 'example.com/x': 'hunter2' } };
    for (const entry of [
      { kind: 'fact', at: 1, fact: { kind: 'record', stored } },
      { kind: 'known-record', at: 1, stored },
    ] as const) {
      const line = journalLine(entry);
      expect(line).not.toContain('hunter2');
      expect(readJournalLine(line)).toMatchObject(
        entry.kind === 'fact'
          ? { fact: { stored: { record: { id: 'd1' } } } }
          : { stored: { record: { id: 'd1' } } },
      );
    }
  });

  it.each([
    ['[1,"lease","n"', 'expected JSON, found something else'],
    ['{}', 'expected a list, found none'],
    ['["soon","wake"]', 'expected a number as its time, found "soon"'],
    ['[1,"constructor"]', 'expected a kind of fact, found "constructor"'],
    ['[1,"lease",7,"t"]', 'expected text that is not empty as its name, found 7'],
    ['[1,"probe","n","u","asleep"]', 'expected one of answered, mute, refused, silent, failed as its result'],
    ['[1,"node",{"metadata":{"name":"n"}}]', 'expected text that is not empty as its node.metadata.uid'],
    ['[1,"record",{"version":2},"5"]', 'its record has version 2'],
    ['[1,"known",{}]', 'expected a mapping as known.watches, found nothing'],
    ['[1,"gap",-1]', 'expected a whole number from 0'],
  ])('that is none is refused, with what is wrong: %s', (line, message) => {
    expect(() => readJournalLine(line)).toThrow(message);
  });
});

describe('the head of a journal', () => {
  it('is read as it was written', () => {
    expect(readJournalHead(journalHeadLine(head))).toEqual(head);
  });

  it.each([
    [{ ...head, version: 2 }, 'expected a journal of version 1, found version 2'],
    [{ kind: 'Config' }, 'expected the head of a journal'],
    [{ ...head, policies: [{ ...anyNode, nodes: { all: false } }] }, 'as policies[0].nodes.all'],
    [{ ...head, part: -1 }, 'as part, found -1'],
  ])('of another format, or of none, is refused', (other, message) => {
    expect(() => readJournalHead(JSON.stringify(other))).toThrow(message);
  });
});
