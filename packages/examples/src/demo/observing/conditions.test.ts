import { describe, expect, it } from 'vitest';
import { crashedAt, entry, playedEntries, recordAfter } from '../testing/played-story.ts';
import { allAgentsEnded, everyNodeBeats, leaderSees, silenceOf, takeoverOf } from './conditions.ts';

describe('what the story waits for', () => {
  it('every node has sent a heartbeat', () => {
    const beat = (node: string) => entry(0, { kind: 'heartbeat', node });
    expect(everyNodeBeats([beat('node-1')], ['node-1', 'node-2'])).toBe(false);
    expect(everyNodeBeats([beat('node-1'), beat('node-2')], ['node-1', 'node-2'])).toBe(true);
  });

  it('the leader sees, whatever the others do', () => {
    const sight = (agent: string, blind: readonly string[]) => entry(0, { kind: 'sight', agent, blind });
    const leads = entry(0, { kind: 'leads', agent: 'agent-1', epoch: 0 });
    expect(leaderSees([sight('agent-1', [])])).toBe(false);
    expect(leaderSees([leads, sight('agent-2', [])])).toBe(false);
    expect(leaderSees([leads, sight('agent-1', ['just started']), sight('agent-1', [])])).toBe(true);
    expect(leaderSees([leads, sight('agent-1', []), sight('agent-1', ['stale'])])).toBe(false);
  });

  it('or that nobody is left to wait for', () => {
    const ended = ['agent-1', 'agent-2', 'agent-3'].map((agent) =>
      entry(0, { kind: 'agent-ended', agent, how: 'exit code 1' }),
    );
    expect(allAgentsEnded(ended.slice(1))).toBe(false);
    expect(allAgentsEnded(ended)).toBe(true);
  });

  it('counts silence from the last heartbeat until the leader calls the node dead', () => {
    const untilSuspect = playedEntries.filter(({ at }) => at < crashedAt + 20_000);
    expect(silenceOf(untilSuspect, 'node-2', crashedAt + 20_000)).toBe(24_000);
    expect(silenceOf(playedEntries, 'node-2', crashedAt + 30_000)).toBeUndefined();
    expect(silenceOf([], 'node-2', 0)).toBeUndefined();
  });

  it('finds the takeover of this crash, not one from before it or of another node', () => {
    const crash = entry(0, { kind: 'crashed', node: 'node-2' });
    const old = entry(-1, { kind: 'record', record: recordAfter(7, { id: 'old' }) });
    const node = { name: 'node-3', uid: 'x', bootId: '' };
    const other = entry(2, { kind: 'record', record: recordAfter(1, { id: 'other', node }) });
    const ours = entry(1, { kind: 'record', record: recordAfter(1, { id: 'ours' }) });
    expect(takeoverOf([old, crash])).toBeUndefined();
    expect(takeoverOf([old, crash, ours, other])?.id).toBe('ours');
  });
});
