import type { Lease, NodeStatus, StatusDocument } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { takeoverRecord } from '../testing/puppet-controller.ts';
import { statusText } from './status-text.ts';
import { newsInView, type StatusSources, viewStatus } from './status-view.ts';

const now = '2026-01-01T00:10:00.000Z';

function lease(spec: Lease['spec'] = {}): Lease {
  return {
    metadata: { name: 'liberator', uid: 'u', resourceVersion: '1' },
    spec: {
      holderIdentity: 'agent-1',
      leaseDurationSeconds: 15,
      leaseTransitions: 7,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:09:59.000000Z',
      ...spec,
    },
  };
}

function document(change: Partial<StatusDocument> = {}): StatusDocument {
  return {
    version: 1,
    writtenAt: '2026-01-01T00:09:40.000Z',
    leader: { identity: 'agent-1', epoch: 7 },
    blind: [],
    counts: { dead: 0, suspect: 0, returning: 0, alive: 2, unselected: 1 },
    nodes: [
      { name: 'node-1', health: 'alive', policy: 'all' },
      { name: 'node-2', health: 'alive', policy: 'all' },
      { name: 'node-3', health: 'unselected' },
    ],
    ...change,
  };
}

const heldNode: NodeStatus = {
  name: 'node-1',
  health: 'dead',
  policy: 'databases',
  evidence: 'unreachable',
  reasons: ['Lease not renewed for 45s', 'host silent to 9 probes'],
  silentSince: '2026-01-01T00:09:14.000Z',
  deathId: '3f2a9c1b0d',
  decision: {
    action: 'hold',
    verdicts: [
      { guard: 'blind', verdict: { outcome: 'pass' } },
      { guard: 'paused', verdict: { outcome: 'hold', reason: 'the node is paused: disk swap' } },
      { guard: 'evidence', verdict: { outcome: 'hold', reason: 'the evidence is "suspected"' } },
      {
        guard: 'budget',
        verdict: {
          outcome: 'hold',
          reason: '2 of 3 nodes are dead, at most 1 may be taken over at once',
        },
      },
    ],
  },
};

function text(sources: Partial<StatusSources>, columns: number | 'unbroken' = 80): string {
  const all = { namespace: 'liberator', lease: lease(), document: document(), records: [], ...sources };
  return `\n${statusText(viewStatus(all, now), columns === 'unbroken' ? undefined : columns).join('\n')}\n`;
}

const recovered = takeoverRecord({
  id: '3f2a9c1b0d',
  node: { name: 'node-2', uid: 'u', bootId: 'b' },
  openedAt: '2026-01-01T00:02:00.000Z',
  closedAt: '2026-01-01T00:02:16.200Z',
  result: 'recovered',
  leader: 'agent-2',
});

describe('the status on a terminal of 80 columns', () => {
  it('tells in a few lines that all is well', () => {
    expect(text({})).toBe(`
Leader  agent-1, in epoch 7 for 10m, renewed 1s ago
Nodes   2 alive, 1 unselected

NODE    HEALTH      SILENT  POLICY  WHY
node-1  alive       -       all
node-2  alive       -       all
node-3  unselected  -       -

No takeovers on record.
`);
  });

  it('tells why a dead node is held, and what a human can do', () => {
    const nodes = [heldNode, { name: 'node-2', health: 'alive', policy: 'databases' } as const];
    const counts = { dead: 1, suspect: 0, returning: 0, alive: 1, unselected: 0 };
    expect(text({ document: document({ nodes, counts, paused: 'switch maintenance' }) })).toBe(`
Leader  agent-1, in epoch 7 for 10m, renewed 1s ago
Paused  everything: switch maintenance
Nodes   1 dead, 1 alive

NODE    HEALTH  SILENT  POLICY     WHY
node-1  dead    45s     databases  Lease not renewed for 45s, host silent to 9
                                   probes
                                   held by paused: the node is paused: disk swap
                                   held by evidence: the evidence is "suspected"
                                   held by budget: 2 of 3 nodes are dead, at
                                   most 1 may be taken over at once
node-2  alive   -       databases

No takeovers on record.

Once you have made sure that the machine is off:
  liberator confirm node-1
  or: kubectl annotate --overwrite node node-1 liberator.dev/confirmed-dead=3f2a9c1b0d
`);
  });

  it('advises no confirmation first thing for a machine that is up', () => {
    const up = { ...heldNode, name: 'node-9', deathId: 'abc', hostUp: true as const };
    const shown = text({ document: document({ nodes: [heldNode, up] }) });
    expect(shown.slice(shown.indexOf('Once you'))).toBe(`Once you have made sure that the machine is off:
  liberator confirm node-1
  or: kubectl annotate --overwrite node node-1 liberator.dev/confirmed-dead=3f2a9c1b0d
The machine of node-9 is up, so what ran on it may still write: restart its kubelet.
Or power the machine off, and only then:
  liberator confirm node-9
  or: kubectl annotate --overwrite node node-9 liberator.dev/confirmed-dead=abc
`);
    expect(text({ document: document({ nodes: [up] }) })).not.toContain('Once you');
  });

  it('tells which records can’t be used, and why', () => {
    const setAside = [
      { name: 'liberator-takeover-3f2a', node: 'node-1', kind: 'damaged', problem: 'its record is not JSON' },
      { name: 'liberator-takeover-x', node: undefined, kind: 'newer', problem: 'its record has version 2' },
    ] as const;
    expect(text({ document: document({}), setAside })).toContain(`
Set aside, and left as they are:
RECORD                   NODE    STATE    WHY
liberator-takeover-3f2a  node-1  damaged  its record is not JSON
liberator-takeover-x     -       newer    its record has version 2
`);
  });

  it('asks no human for a word that would not help', () => {
    const pausedOnly = {
      action: 'hold',
      verdicts: [{ guard: 'paused', verdict: { outcome: 'hold', reason: 'the node is paused: x' } }],
    } as const;
    const nodes = [{ ...heldNode, decision: pausedOnly }];
    expect(text({ document: document({ nodes }) })).not.toContain('confirmed-dead');
  });

  it('asks for a word where only the budget holds: a death that is proven does not count', () => {
    const budgetOnly = {
      action: 'hold',
      verdicts: [
        { guard: 'budget', verdict: { outcome: 'hold', reason: '3 of 9 nodes are dead without proof' } },
      ],
    } as const;
    const nodes = [{ ...heldNode, decision: budgetOnly }];
    expect(text({ document: document({ nodes }) })).toContain('confirmed-dead=3f2a9c1b0d');
  });

  it('tells what is under way first, and what is over after that', () => {
    const running = takeoverRecord({
      id: '77aa00bb11',
      openedAt: '2026-01-01T00:09:00.000Z',
      leader: 'agent-1',
      steps: {
        claim: { startedAt: now, epoch: 7, outcome: 'done' },
        cordon: { startedAt: now, epoch: 7, outcome: 'done' },
        fence: { startedAt: now, epoch: 7, detail: 'waiting for the BMC' },
      },
      deathId: '77aa00bb11',
      policy: { name: 'all', node: 'delete', proof: 'required', drivers: ['ipmi', 'manual'] },
    });
    const nodes = [{ ...heldNode, takeover: true } as const].map(
      ({ decision: _, deathId: __, ...node }) => node,
    );
    expect(text({ records: [recovered, running], document: document({ nodes }) })).toBe(
      `
Leader  agent-1, in epoch 7 for 10m, renewed 1s ago
Nodes   2 alive, 1 unselected

NODE    HEALTH  SILENT  POLICY     WHY
node-1  dead    45s     databases  Lease not renewed for 45s, host silent to 9
                                   probes
                                   being taken over
and 2 more, no worse than these

TAKEOVER    NODE    STATE      AGE  TOOK   DETAIL
77aa00bb11  node-1  in fence   60s  1m00s  by agent-1 in epoch 7, policy all:
                                           waiting for the BMC
3f2a9c1b0d  node-2  recovered  8m   16.2s  by agent-2 in epoch 7, policy all

Once you have made sure that the machine is off:
  liberator confirm node-1
  or: kubectl annotate --overwrite node node-1 liberator.dev/confirmed-dead=77aa00bb11
`,
    );
  });

  it('gives the command for the record of a takeover whose Node is gone', () => {
    const running = takeoverRecord({
      id: '77aa00bb11-2',
      steps: {
        claim: { startedAt: now, epoch: 7, outcome: 'done' },
        cordon: { startedAt: now, epoch: 7, outcome: 'done' },
        fence: { startedAt: now, epoch: 7, detail: 'waiting for the BMC' },
      },
      deathId: '77aa00bb11',
      policy: { name: 'all', node: 'delete', proof: 'required', drivers: ['ipmi', 'manual'] },
    });
    const command =
      'kubectl annotate --overwrite --namespace shop configmap liberator-takeover-77aa00bb11-2 liberator.dev/confirmed-dead=77aa00bb11';
    const onNode = 'kubectl annotate --overwrite node node-1 liberator.dev/confirmed-dead=77aa00bb11';
    const shown = (nodeGone: boolean): string =>
      text({ namespace: 'shop', records: [{ ...running, ...(nodeGone && { nodeGone }) }] }, 'unbroken');
    expect(shown(true)).toContain(`  liberator confirm node-1\n  or: ${command}\n`);
    expect(shown(true)).not.toContain(onNode);
    expect(shown(false)).toContain(`  or: ${onNode}\n`);
  });

  it('lists five that are over, and says where the others are', () => {
    const records = Array.from({ length: 7 }, (_, i) => ({ ...recovered, id: `id-${i}` }));
    const shown = text({ records });
    expect(shown.match(/^id-\d/gm)).toEqual(['id-0', 'id-1', 'id-2', 'id-3', 'id-4']);
    expect(shown).toContain('\nand 2 earlier: liberator takeovers\n');
  });

  it('says first of all that nothing is done, where the leader only observes', () => {
    const dead = { name: 'node-1', health: 'dead', policy: 'all', wouldTakeOver: true } as const;
    const shown = text({ document: document({ mode: 'observe', nodes: [dead] }) });
    expect(shown).toContain('\nMode    OBSERVE: nothing is done, only told\n');
    expect(shown).toMatch(/node-1 +dead +- +all +would be taken over\n/);
    expect(text({ document: document() })).not.toContain('Mode');
  });

  it('tells that the leader is blind', () => {
    expect(text({ document: document({ blind: ['3 of 4 node Leases fell silent together'] }) })).toContain(
      '\nSight   BLIND, so nothing is decided: 3 of 4 node Leases fell silent together\n',
    );
  });

  it('tells of a silent node that nothing is decided, because the leader does not see, and the way out', () => {
    const { decision: _, ...silent } = heldNode;
    const blind = ['2 of 3 node Leases fell silent together'];
    const shown = text({
      document: document({ blind, nodes: [{ ...silent, health: 'suspect', undecided: true }] }),
    });
    expect(shown).toContain('not decided: the leader does not see\n');
    expect(shown).toContain('  liberator confirm node-1\n  or: kubectl annotate --overwrite node node-1 ');
    const up = { ...silent, health: 'suspect', undecided: true, hostUp: true } as const;
    expect(text({ document: document({ blind, nodes: [up] }) })).toContain('is up, so what ran on it');
    expect(text({ document: document({ nodes: [silent] }) })).not.toContain('not decided');
  });

  it('tells of a node whose machine never booted that only a human can tell, and how', () => {
    const { decision: _, ...silent } = heldNode;
    const shown = text({
      document: document({ nodes: [{ ...silent, health: 'suspect', undecided: true }] }),
    });
    expect(shown).toContain('not decided: only a human can tell\n');
    expect(shown).toContain('  liberator confirm node-1\n');
  });

  it('says that a node could not be claimed, and why, and of what else fails', () => {
    const trouble = { uid: 'u', tries: 12, detail: 'exceeded quota: few' };
    const troubles = [
      { ...trouble, node: 'node-1', act: 'claim' },
      { ...trouble, node: 'gone-9', act: 'release' },
    ] as const;
    const shown = text({ document: document({ nodes: [heldNode], troubles }) }, 'unbroken');
    expect(shown).toContain('  could not be claimed: exceeded quota: few\n');
    expect(shown).not.toContain('being taken over');
    expect(shown).toContain(
      '\nFailing  gone-9: step release of its takeover has failed 12 times in a row: exceeded quota: few\n',
    );
  });

  it('says that a confirmation names another death', () => {
    const ignoredConfirmation = { names: 'old', because: 'other-death', expected: '3f2a9c1b0d' } as const;
    expect(
      text({ document: document({ nodes: [{ ...heldNode, ignoredConfirmation }] }) }, 'unbroken'),
    ).toContain(
      '  liberator.dev/confirmed-dead on it names old, which is not its death of now: nothing follows from that.\n',
    );
  });

  it('is not broken where nobody counts columns', () => {
    const wide = text({ document: document({ nodes: [heldNode] }) }, 'unbroken');
    expect(wide).toContain('held by budget: 2 of 3 nodes are dead, at most 1 may be taken over at once\n');
  });

  it('lets no name of the cluster move the cursor', () => {
    const nodes = [{ name: 'evil\u001B[2J', health: 'alive' } as const];
    expect(text({ document: document({ nodes }) })).not.toContain('\u001B');
  });
});

describe('who leads', () => {
  it.each<[string, Lease | undefined, string]>([
    ['where there is no Lease', undefined, 'nobody yet: there is no election Lease'],
    [
      'where the last one let go',
      lease({ holderIdentity: '' }),
      'nobody: the last one let go 1s ago, in epoch 7',
    ],
    [
      'where the last one died',
      lease({ renewTime: '2026-01-01T00:09:40.000000Z' }),
      'nobody: the Lease of agent-1 has expired, renewed 20s ago, in epoch 7',
    ],
  ])('is told %s', (_, shown, sentence) => {
    expect(text({ lease: shown })).toContain(`Leader  ${sentence}\n`);
  });
});

describe('a published status', () => {
  const knowledge = (sources: Partial<StatusSources>) => {
    const view = viewStatus(
      { namespace: 'liberator', lease: lease(), document: document(), records: [], ...sources },
      now,
    );
    return [view.knowledge, view.outdated];
  };

  it('is current however old it is, as long as its writer leads and refreshes it', () => {
    expect(knowledge({})).toEqual(['current', undefined]);
  });

  it.each<[string, Partial<StatusSources>, string]>([
    ['nobody leads', { lease: lease({ holderIdentity: '' }) }, 'it is what agent-1 knew, which led last'],
    [
      'another one leads',
      { lease: lease({ leaseTransitions: 8, holderIdentity: 'agent-2' }) },
      'it is what agent-1 knew in epoch 7; the leader of now has not told yet',
    ],
    [
      'its writer died',
      { lease: lease({ renewTime: '2026-01-01T00:09:40.000000Z' }) },
      'it is what agent-1 knew, which renews its Lease no longer',
    ],
    [
      'its writer stopped writing',
      { document: document({ writtenAt: '2026-01-01T00:08:00.000Z' }) },
      'agent-1 renews its Lease, but tells nothing any more: its log says why',
    ],
  ])('is outdated when %s', (_, sources, why) => {
    expect(knowledge(sources)).toEqual(['outdated', why]);
    expect(text(sources, 'unbroken')).toContain(`OUTDATED, of 2026-01-01 00:0`);
  });

  it('that is not there is told, with what Kubernetes says of its nodes', () => {
    expect(text({ document: undefined, readiness: [{ name: 'node-1', ready: 'Unknown' }] })).toBe(`
Leader  agent-1, in epoch 7 for 10m, renewed 1s ago
Status  nobody has published one: an agent does within seconds of beginning to
        lead

NODE    READY (as Kubernetes sees it)
node-1  Unknown

No takeovers on record.
`);
  });
});

describe('news in a status', () => {
  const news = (sources: Partial<StatusSources>, at = now) =>
    newsInView(
      viewStatus(
        { namespace: 'liberator', lease: lease(), document: document(), records: [], ...sources },
        at,
      ),
    );

  it('is not that time goes by', () => {
    const later = '2026-01-01T00:10:02.000Z';
    const renewed = lease({ renewTime: '2026-01-01T00:10:01.000000Z' });
    const dead = document({ nodes: [heldNode] });
    const same = document({ nodes: [{ ...heldNode, reasons: ['Lease not renewed for 47s'] }] });
    expect(news({ lease: renewed, document: same }, later)).toBe(news({ document: dead }));
  });

  it.each<[string, Partial<StatusSources>]>([
    ['another leader', { lease: lease({ holderIdentity: 'agent-2' }) }],
    ['a leader that died', { lease: lease({ renewTime: '2026-01-01T00:00:00.000000Z' }) }],
    ['a node in trouble', { document: document({ nodes: [heldNode] }) }],
    ['a takeover', { records: [recovered] }],
    ['a pause', { document: document({ paused: 'x' }) }],
  ])('is %s', (_, sources) => {
    expect(news(sources)).not.toBe(news({}));
  });
});
