import type { NodeStatus, StatusDocument } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { type StatusSources, viewStatus } from '../status/status-view.ts';
import { takeoverRecord } from '../testing/puppet-controller.ts';
import { explanation } from './explain-text.ts';

function explain(node: NodeStatus, more: Partial<StatusSources> = {}, blind: readonly string[] = []): string {
  const document: StatusDocument = {
    version: 1,
    writtenAt: '2026-01-01T00:09:40.000Z',
    leader: { identity: 'agent-1', epoch: 7 },
    blind,
    counts: { dead: 1, suspect: 0, returning: 0, alive: 2, unselected: 0 },
    nodes: [node],
  };
  const lease = {
    metadata: { name: 'liberator', uid: 'u', resourceVersion: '1' },
    spec: {
      holderIdentity: 'agent-1',
      leaseDurationSeconds: 15,
      leaseTransitions: 7,
      renewTime: '2026-01-01T00:09:59.000000Z',
    },
  };
  const view = viewStatus(
    { namespace: 'liberator', lease, document, records: [], ...more },
    '2026-01-01T00:10:00.000Z',
  );
  return `\n${explanation(view, 'node-1', 80)?.join('\n')}\n`;
}

const dead = {
  name: 'node-1',
  health: 'dead',
  policy: 'databases',
  evidence: 'unreachable',
  reasons: ['Lease not renewed for 45s', 'host silent to 9 probes'],
} as const;

describe('an explanation in 80 columns', () => {
  it('tells the verdict of every guard, and what a human can do', () => {
    const verdicts = [
      { guard: 'blind', verdict: { outcome: 'pass' } },
      {
        guard: 'evidence',
        verdict: { outcome: 'hold', reason: 'the evidence is "unreachable", the policy asks for "proven"' },
      },
    ] as const;
    expect(explain({ ...dead, deathId: '3f2a9c1b0d', decision: { action: 'hold', verdicts } })).toBe(`
node-1
  health    dead
  policy    databases
  evidence  unreachable: Lease not renewed for 45s, host silent to 9 probes
  decision  hold

GUARD     VERDICT  REASON
blind     passes
evidence  holds    the evidence is "unreachable", the policy asks for "proven"

Once you have made sure that the machine is off:
  liberator confirm node-1
  or: kubectl annotate --overwrite node node-1 liberator.dev/confirmed-dead=3f2a9c1b0d
`);
  });

  it('advises no confirmation first thing for a machine that is up', () => {
    const verdicts = [
      { guard: 'evidence', verdict: { outcome: 'hold', reason: 'the host is up: its kubelet answers' } },
    ] as const;
    const told = explain({
      ...dead,
      hostUp: true,
      deathId: '3f2a9c1b0d',
      decision: { action: 'hold', verdicts },
    });
    expect(told).toContain(`
The machine of node-1 is up, so what ran on it may still write: restart its kubelet.
Or power the machine off, and only then:
  liberator confirm node-1
  or: kubectl annotate --overwrite node node-1 liberator.dev/confirmed-dead=3f2a9c1b0d
`);
    expect(told).not.toContain('Once you');
  });

  it('tells what would hold a takeover of a node that is well', () => {
    const holds = ['paused: the node is paused: until: noon'];
    expect(explain({ name: 'node-1', health: 'alive', policy: 'all', holds })).toBe(`
node-1
  health    alive
  policy    all
  decision  none is due: it is not dead

GUARD   VERDICT     REASON
paused  would hold  the node is paused: until: noon
`);
  });

  it('tells of one that is silent while the leader is blind', () => {
    const silent = { ...dead, health: 'suspect', undecided: true } as const;
    expect(explain(silent, {}, ['the watch of Nodes is stale'])).toContain(
      'decision  none: the leader does not see, so it decides nothing; after an',
    );
  });

  it('tells of one whose machine never booted that only a human can tell, and how', () => {
    const reasons = ['its Node was created before its machine ever booted'];
    const unbooted = { ...dead, health: 'suspect', reasons, deathId: '3f2a9c1b0d', undecided: true } as const;
    const shown = explain(unbooted);
    expect(shown).toContain('decision  none: only a human can tell whether it is dead\n');
    expect(shown).toContain(reasons[0]);
    expect(shown).toContain('  liberator confirm node-1\n');
  });

  it.each<[string, NodeStatus, Partial<StatusSources>, string]>([
    ['being taken over', { ...dead, takeover: true }, {}, 'it is being taken over\n'],
    [
      'being taken over, with its record',
      { ...dead, takeover: true },
      { records: [takeoverRecord({ id: '77aa00bb11' })] },
      'it is being taken over: liberator takeovers 77aa00bb11\n',
    ],
    ['dead and done with', dead, {}, 'it was taken over for this death already\n'],
    [
      'taken over, with pods that are still waited for',
      { ...dead, health: 'alive' },
      {
        records: [
          takeoverRecord({
            id: '77aa00bb11',
            steps: Object.fromEntries(
              ['claim', 'cordon', 'fence', 'recheck', 'release', 'remove'].map((step) => [
                step,
                { startedAt: '', epoch: 7, outcome: 'done' },
              ]),
            ),
          }),
        ],
      },
      'its pods are still waited for: liberator takeovers 77aa00bb11\n',
    ],
    [
      'about to be taken over',
      { ...dead, decision: { action: 'act', verdicts: [] } },
      {},
      'decision  take it over\n',
    ],
  ])('tells of one that is %s', (_, node, more, words) => {
    expect(explain(node, more)).toContain(words);
  });

  it('tells what fails, and which word of a human counts for nothing', () => {
    const ignoredConfirmation = { names: 'old', because: 'alive' } as const;
    const told = explain({ ...dead, ignoredConfirmation });
    expect(told).toContain('confirmation  liberator.dev/confirmed-dead on it names old, but it is alive:');
  });

  it('tells of a node that no policy selects that nobody asks', () => {
    expect(explain({ name: 'node-1', health: 'unselected' })).toContain(
      'none selects it, so nobody asks how it',
    );
  });

  it('names pods that a takeover would destroy for good, and what keeps them', () => {
    const view = viewStatus(
      {
        namespace: 'liberator',
        lease: undefined,
        document: {
          version: 1,
          writtenAt: '2026-01-01T00:09:40.000Z',
          leader: { identity: 'agent-1', epoch: 7 },
          blind: [],
          counts: { dead: 0, suspect: 0, returning: 0, alive: 1, unselected: 0 },
          nodes: [{ name: 'node-1', health: 'alive', policy: 'all' }],
        },
        records: [],
      },
      '2026-01-01T00:10:00.000Z',
    );
    const bare = [{ namespace: 'shop', name: 'cron', node: 'node-1', fate: 'lost' as const }];
    const told = explanation(view, 'node-1', undefined, bare)?.join('\n');
    expect(told).toContain('Pods that nobody makes anew:');
    expect(told).toContain('kubectl -n shop annotate pod cron liberator.dev/keep=true');
  });

  it('is none of a node that is not known', () => {
    expect(explain({ ...dead, name: 'node-2' })).toBe('\nundefined\n');
  });
});
