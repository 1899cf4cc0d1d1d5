import { expect, it } from 'vitest';
import { takeoverRecord } from '../testing/puppet-controller.ts';
import { caseText } from './confirm-text.ts';

const found = {
  now: '2026-01-01T00:10:00.000Z',
  knock: 'its host is silent',
  earlier: undefined,
  pods: [
    {
      namespace: 'shop',
      name: 'db-0',
      uid: 'u',
      statefulSet: 'db',
      volumes: [{ claim: 'data-db-0', volume: 'pv-0', pinnedTo: ['node-1'] }],
    },
    { namespace: 'shop', name: 'web', uid: 'v', volumes: [] },
  ],
};

it('shows the evidence, what holds, and what would be released with its volumes', () => {
  const seen = {
    name: 'node-1',
    health: 'dead',
    evidence: 'unreachable',
    reasons: ['Lease not renewed for 45s', 'host silent to 9 probes'],
    silentSince: '2026-01-01T00:09:15.000Z',
    decision: {
      action: 'hold',
      verdicts: [{ guard: 'evidence', verdict: { outcome: 'hold', reason: 'the policy asks for "proven"' } }],
    },
  } as const;
  const death = { node: 'node-1', deathId: '3f2a9c1b0d', record: undefined, seen };
  expect(`\n${caseText(death, { ...found, earlier: 'old' }, undefined).join('\n')}\n`).toBe(`
node-1
  death       3f2a9c1b0d
  evidence    unreachable: Lease not renewed for 45s, host silent to 9 probes
  silent for  45s
  from here   its host is silent
  held by     evidence: the policy asks for "proven"
  replaced    liberator.dev/confirmed-dead names old, which is another death

Would be released:
POD        OF                    VOLUMES
shop/db-0  StatefulSet db        data-db-0: pv-0 (only usable on node-1)
shop/web   not of a StatefulSet  -
`);
});

it('shows of a Node that is gone what is on record', () => {
  const record = takeoverRecord({ id: 'd1', deathId: 'd1', reasons: ['Lease not renewed for 25s'] });
  const death = { node: 'node-1', deathId: 'd1', record, seen: undefined };
  expect(`\n${caseText(death, { ...found, pods: [] }, undefined).join('\n')}\n`).toBe(`
node-1, whose Node is gone
  death      d1
  evidence   unreachable: Lease not renewed for 25s
  from here  its host is silent
  takeover   d1 is under way: liberator takeovers d1

Nothing would be released: there are no pods on it that have to go.
`);
});
