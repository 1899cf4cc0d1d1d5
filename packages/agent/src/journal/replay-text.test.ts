// A replay in words, and what of it is a difference.
import type { ReplayEvent } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { differences, outcomesOf } from './outcome.ts';
import { replayText } from './replay-text.ts';

const at = (seconds: number): { at: number; time: string } => ({
  at: seconds * 1_000,
  time: new Date(Date.UTC(2026, 0, 1) + seconds * 1_000).toISOString(),
});
const node = { node: 'node-1', uid: 'uid-1' };
const death = { ...node, deathId: 'd1', policy: 'all' };

const begins: ReplayEvent = {
  ...at(0),
  kind: 'begins',
  identity: 'agent-1',
  program: '0.1.0',
  part: 2,
  continues: false,
  unknownGuards: ['office-hours'],
};
const dead: ReplayEvent = {
  ...at(30),
  kind: 'health',
  ...node,
  from: 'suspect',
  to: 'dead',
  evidence: 'unreachable',
  reasons: ['Lease not renewed for 25s', 'host silent to 3 probes'],
};
const held: ReplayEvent = {
  ...at(30.5),
  kind: 'decision',
  ...death,
  action: 'hold',
  holds: [
    { guard: 'evidence', reason: 'the evidence is "unreachable"' },
    { guard: 'budget', reason: 'too many' },
  ],
};
const freed: ReplayEvent = { ...at(31), kind: 'decision', ...death, action: 'act', holds: [] };
const taken: ReplayEvent = { ...at(31), kind: 'takeover', ...death };

describe('a replay', () => {
  it('is told as a whole first, then node by node, then as a sum', () => {
    const events: readonly ReplayEvent[] = [
      begins,
      { ...at(1), kind: 'sight', blind: ['just started'] },
      { ...at(2), kind: 'term', epoch: 7 },
      { ...at(3), kind: 'sight', blind: [] },
      dead,
      held,
      { ...at(30.7), kind: 'gap', facts: 12 },
      freed,
      taken,
    ];
    expect(`\n${replayText({ events }, undefined).join('\n')}\n`).toBe(`
Journal
  2026-01-01T00:00:00.000Z  part 2 of agent-1 (liberator 0.1.0) begins, with what was known by then; guards that can't be asked again: office-hours
  2026-01-01T00:00:01.000Z  blind: just started
  2026-01-01T00:00:02.000Z  leads, in epoch 7
  2026-01-01T00:00:03.000Z  sees
  2026-01-01T00:00:30.700Z  12 facts are missing here

node-1
  2026-01-01T00:00:30.000Z  dead (unreachable): Lease not renewed for 25s, host silent to 3 probes
  2026-01-01T00:00:30.500Z  held: evidence: the evidence is "unreachable"; budget: too many
  2026-01-01T00:00:31.000Z  no guard holds it (death d1, policy all)
  2026-01-01T00:00:31.000Z  would have been taken over (death d1, policy all)

Nodes found dead: 1. Takeovers that would have been begun: 1. Nodes held at last: 0.
`);
  });

  it('differs from another where a node comes to something else, and says from what', () => {
    const found = differences(outcomesOf([dead, freed, taken]), outcomesOf([dead, held]));
    const lines = replayText({ events: [dead, held], differences: found }, undefined);
    expect(lines.slice(-3)).toEqual([
      'Other than by the rules of the journal:',
      '  node-1  recorded  taken over at 2026-01-01T00:00:31.000Z by policy all',
      '          replayed  held by evidence, budget',
    ]);
    expect(differences(outcomesOf([dead, held]), outcomesOf([dead, held]))).toEqual([]);
    expect(replayText({ events: [dead], differences: [] }, undefined).at(-1)).toBe(
      'The rules of the journal come to the same.',
    );
  });

  it('of a replica that did not lead says that it decided nothing', () => {
    const words =
      'This replica did not lead, so it decided nothing: the journal of the one that did tells more.';
    expect(replayText({ events: [begins, dead] }, undefined)).toContain(words);
    expect(replayText({ events: [begins, { ...at(2), kind: 'term', epoch: 7 }] }, undefined)).not.toContain(
      words,
    );
  });

  it('can be told of one node alone', () => {
    const events = [dead, { ...dead, node: 'node-2' }];
    const lines = replayText({ events, node: 'node-2' }, undefined);
    expect(replayText({ events, node: 'node-3' }, undefined)).toContain(
      'node-3: nothing became of it, or there was no such node',
    );
    expect(lines).toContain('node-2');
    expect(lines).not.toContain('node-1');
  });
});
