import { describe, expect, it } from 'vitest';
import type { Entry } from '../observing/observation.ts';
import { crashedAt, entry, playedEntries, recordAfter, recordWaitingAt } from '../testing/played-story.ts';
import { Narrator } from './narrator.ts';

function told(entries: readonly Entry[], startedAt = 0): readonly string[] {
  const narrator = new Narrator('mysql-0', startedAt);
  return entries.flatMap((one) =>
    narrator.tell(one).map(({ atMs, who, text }) => `${atMs === undefined ? '-' : atMs} ${who}: ${text}`),
  );
}

const crash = entry(0, { kind: 'crashed', node: 'node-2' });

describe('the narrator', () => {
  it('tells a whole recovery, each thing once', () => {
    expect(told(playedEntries)).toEqual([
      '5000 agent-2: leads, in epoch 1',
      '0 node-2: crashes: its power is gone, and mysql-0 with it',
      '11300 agent-2: node-2 is suspect: Lease not renewed for 15s',
      '25500 agent-2: node-2 is dead: host silent to 3 probes',
      '26000 guards: pass: blind budget',
      '- claim: 100 ms  did claim',
      '29000 cordon: 100 ms  did cordon',
      '- fence: 100 ms  did fence',
      '- recheck: 100 ms  did recheck',
      '29500 mysql-0: 11111111 is Terminating',
      '30000 mysql-0: 11111111 is gone',
      '30100 mysql-0: 22222222 is created',
      '30200 mysql-0: 22222222 is scheduled to node-3',
      '30300 volume: pvc-5f3a9c2e.. is detached from node-2',
      '30800 volume: pvc-5f3a9c2e.. is attached to node-3',
      '31100 node-2: is gone from the API',
      '32000 mysql-0: 22222222 is Ready on node-3',
      '32100 release: 100 ms  did release',
      '- remove: 100 ms  did remove',
      '- verify: 100 ms  did verify',
    ]);
  });

  it('counts from its start before the crash, and from the crash after it', () => {
    const leads = entry(-3_000, { kind: 'leads', agent: 'agent-1', epoch: 0 });
    expect(told([leads, crash], crashedAt - 5_000)[0]).toBe('2000 agent-1: leads, in epoch 0');
  });

  it('hears of health from the leader, and from anybody while nobody leads', () => {
    const suspect = (agent: string): Entry =>
      entry(1, { kind: 'health', agent, node: 'node-2', to: 'suspect', reasons: [] });
    const leads = entry(-1, { kind: 'leads', agent: 'agent-3', epoch: 0 });
    expect(told([leads, crash, suspect('agent-1'), suspect('agent-3')])).toHaveLength(3);
    expect(told([crash, suspect('agent-1')])).toContain('1 agent-1: node-2 is suspect');
  });

  it('says when an agent ends, when a decision is held, and when an agent is blind', () => {
    const lines = told([
      crash,
      entry(1, { kind: 'agent-ended', agent: 'agent-1', how: 'exit code 3' }),
      entry(2, { kind: 'held', agent: 'agent-2', node: 'node-2', reasons: ['paused: by me'] }),
      entry(3, { kind: 'sight', agent: 'agent-2', blind: ['2 of 3 node Leases fell silent together'] }),
    ]);
    expect(lines.slice(1)).toEqual([
      '1 agent-1: ended unexpectedly: exit code 3',
      '2 agent-2: holds back from node-2: paused: by me',
      '3 agent-2: is blind and stands still: 2 of 3 node Leases fell silent together',
    ]);
  });

  it('says what a takeover waits for when only a person can end the wait, once', () => {
    const waiting = recordWaitingAt('fence', 'annotate the node');
    const lines = told([
      crash,
      entry(1, { kind: 'record', record: waiting }),
      entry(2, { kind: 'record', record: waiting }),
    ]);
    expect(lines.filter((line) => line.includes('waits'))).toEqual(['- fence: waits: annotate the node']);
  });

  it('tells an undone takeover as one', () => {
    const record = recordAfter(2, { undoing: 'its Lease was renewed' });
    expect(told([crash, entry(5, { kind: 'record', record })])).toContain(
      '- takeover: is undone: its Lease was renewed',
    );
  });

  it('leaves takeovers of other nodes alone', () => {
    const node = { name: 'node-9', uid: 'other', bootId: '' };
    expect(told([crash, entry(5, { kind: 'record', record: recordAfter(3, { node }) })])).toHaveLength(1);
  });

  it('tells a change of the Ready condition, not what it was all along', () => {
    const ready = (at: number, status: 'True' | 'Unknown'): Entry =>
      entry(at, { kind: 'node-ready', node: 'node-2', status });
    expect(told([ready(-5, 'True'), crash, ready(1, 'True'), ready(2, 'Unknown')]).slice(1)).toEqual([
      '2 Kubernetes: notices that node-2 is silent: Ready turns Unknown',
    ]);
  });
});
