import { describe, expect, it } from 'vitest';
import { entry, playedEntries, recordWaitingAt } from '../testing/played-story.ts';
import { lastSights } from './last-sights.ts';

const beforeCrash = playedEntries.filter(({ at }) => at < 10_000);
const untilDead = playedEntries.filter(({ at }) => at < 36_000);

describe('the last sights of a failed demo', () => {
  it('say that nothing was crashed yet, and how the pod was', () => {
    expect(lastSights(beforeCrash, 'mysql-0')).toEqual([
      'no node was crashed yet',
      'mysql-0 was on node-2, Ready',
    ]);
    expect(lastSights([], 'mysql-0')).toContain('there was no mysql-0');
  });

  it('say that no agent saw the crash', () => {
    const entries = [...beforeCrash, entry(0, { kind: 'crashed', node: 'node-2' })];
    expect(lastSights(entries, 'mysql-0')).toContain('no agent saw anything wrong with node-2');
  });

  it('say which guard held the takeover', () => {
    const held = entry(26_000, {
      kind: 'held',
      agent: 'agent-2',
      node: 'node-2',
      reasons: ['paused: by me'],
    });
    expect(lastSights([...untilDead, held], 'mysql-0')).toEqual([
      'agent-2 saw node-2 as dead: host silent to 3 probes',
      'agent-2 held back: paused: by me',
      'mysql-0 was on node-2, Ready',
    ]);
  });

  it('say at which step a takeover stood, and the last errors', () => {
    const entries = [
      ...untilDead,
      entry(27_000, { kind: 'record', record: recordWaitingAt('release', 'waiting for volume data') }),
      entry(28_000, { kind: 'trouble', agent: 'agent-1', message: 'watch nodes: no answer' }),
    ];
    const sights = lastSights(entries, 'mysql-0');
    expect(sights).toContain('the takeover was at release: waiting for volume data');
    expect(sights).toContain('agent-1 said: watch nodes: no answer');
  });
});
