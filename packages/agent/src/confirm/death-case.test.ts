import type { NodeStatus, StatusDocument, TakeoverRecord } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { type StatusView, viewStatus } from '../status/status-view.ts';
import { takeoverRecord } from '../testing/puppet-controller.ts';
import { answerTo, deathCase } from './death-case.ts';

const now = '2026-01-01T00:10:00.000Z';

function viewOf(
  node: NodeStatus | undefined,
  records: readonly TakeoverRecord[] = [],
  more: Partial<StatusDocument> & { readonly holder?: string } = {},
): StatusView {
  const { holder = 'agent-1', ...change } = more;
  const lease = {
    metadata: { name: 'liberator', uid: 'u', resourceVersion: '1' },
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: 15,
      leaseTransitions: 7,
      renewTime: '2026-01-01T00:09:59.000000Z',
    },
  };
  const document: StatusDocument = {
    version: 1,
    writtenAt: '2026-01-01T00:09:40.000Z',
    leader: { identity: 'agent-1', epoch: 7 },
    blind: [],
    counts: { dead: 1, suspect: 0, returning: 0, alive: 2, unselected: 0 },
    nodes: node === undefined ? [] : [node],
    ...change,
  };
  return viewStatus({ namespace: 'liberator', lease, document, records }, now);
}

const hold = (guard: string) => ({ guard, verdict: { outcome: 'hold', reason: 'because' } }) as const;
const dead: NodeStatus = {
  name: 'node-1',
  health: 'dead',
  policy: 'all',
  evidence: 'unreachable',
  reasons: ['Lease not renewed for 45s'],
  deathId: 'd1',
  decision: { action: 'hold', verdicts: [hold('evidence')] },
};
const { decision: _, ...undecided } = dead;
const fence = { startedAt: now, epoch: 7 };
const waiting = takeoverRecord({ id: 'd1', deathId: 'd1', steps: { fence } });

describe('what there is to vouch for', () => {
  it.each<[string, NodeStatus, readonly TakeoverRecord[]]>([
    ['a dead node that is held', dead, []],
    ['a silent node while the leader is blind', { ...undecided, health: 'suspect', undecided: true }, []],
    ['a takeover that waits', { ...undecided, takeover: true }, [waiting]],
  ])('is %s', (_what, node, records) => {
    expect(deathCase(viewOf(node, records), records, 'node-1', true)).toMatchObject({ deathId: 'd1' });
  });

  it('is a takeover whose Node is gone, whatever is published', () => {
    expect(deathCase(viewOf(undefined, [waiting]), [waiting], 'node-1', false)).toMatchObject({
      deathId: 'd1',
      record: { id: 'd1' },
      seen: undefined,
    });
  });

  it.each<[string, StatusView, boolean, string]>([
    [
      'a node that is alive',
      viewOf({ name: 'node-1', health: 'alive' }),
      true,
      'node-1 is alive: there is no death',
    ],
    ['one that came back', viewOf({ ...dead, health: 'returning' }), true, 'node-1 is returning'],
    [
      'one that no policy selects',
      viewOf({ name: 'node-1', health: 'unselected' }),
      true,
      'no policy selects node-1',
    ],
    ['one that was taken over', viewOf(undecided), true, 'node-1 was taken over for this death already'],
    ['one that is well and not listed', viewOf(undefined), true, 'node-1 is well, or has just joined'],
    ['one that is not there', viewOf(undefined), false, 'there is no node node-1'],
    [
      'one of which an old leader told',
      viewOf(dead, [], { holder: '' }),
      true,
      'nobody knows whether node-1 is dead',
    ],
  ])('is not %s', (_what, view, isThere, words) => {
    expect(deathCase(view, [], 'node-1', isThere)).toMatchObject({ problem: expect.stringContaining(words) });
  });
});

describe('what becomes of a word', () => {
  const death = { node: 'node-1', deathId: 'd1' };
  const proven: NodeStatus = { ...dead, evidence: 'proven' };

  it.each<[string, NodeStatus | undefined, readonly TakeoverRecord[], object]>([
    [
      'the takeover that waited goes on',
      { ...undecided, takeover: true },
      [{ ...waiting, steps: { fence: { ...fence, outcome: 'done' } } }],
      { taken: true, words: 'takeover d1 of node-1 goes on: liberator takeovers d1' },
    ],
    [
      'the leader takes it, and something else holds',
      { ...proven, decision: { action: 'hold', verdicts: [hold('paused')] } },
      [],
      { taken: true, words: expect.stringContaining('still held by paused: because') },
    ],
    ['the leader takes it', { ...proven, decision: { action: 'act', verdicts: [] } }, [], { taken: true }],
    ['the node lives', { name: 'node-1', health: 'alive' }, [], { taken: false }],
    [
      'the node died another death meanwhile',
      { ...dead, ignoredConfirmation: { names: 'd1', because: 'other-death', expected: 'd2' } },
      [],
      { taken: false },
    ],
  ])('is that %s', (_what, node, records, answer) => {
    expect(answerTo(death, viewOf(node, records), records)).toMatchObject(answer);
  });

  it('is not known before the leader has told', () => {
    expect(answerTo(death, viewOf(dead), [])).toBeUndefined();
    const running = viewOf({ ...undecided, evidence: 'proven', takeover: true }, [waiting]);
    expect(answerTo(death, running, [waiting])).toBeUndefined();
  });
});
