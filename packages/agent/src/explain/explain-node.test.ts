// What `liberator explain` says of a node that no status lists: it may be in the middle of its takeover all the same.
import type { StatusDocument, TakeoverRecord } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { viewStatus } from '../status/status-view.ts';
import { takeoverRecord } from '../testing/puppet-controller.ts';
import { whyUnknown } from './explain-node.ts';

const now = '2026-01-01T00:10:00.000Z';
const done = { startedAt: now, epoch: 7, outcome: 'done' } as const;
const document: StatusDocument = {
  version: 1,
  writtenAt: now,
  leader: { identity: 'agent-1', epoch: 7 },
  blind: [],
  counts: { dead: 0, suspect: 0, returning: 0, alive: 1, unselected: 0 },
  nodes: [{ name: 'node-2', health: 'alive', policy: 'all' }],
};

function said(...records: readonly TakeoverRecord[]): string {
  return whyUnknown('node-1', viewStatus({ namespace: 'shop', lease: undefined, document, records }, now));
}

const inFence = (detail: string): TakeoverRecord =>
  takeoverRecord({
    id: 'd1',
    deathId: 'd1',
    nodeGone: true,
    policy: { name: 'all', node: 'delete', proof: 'required', drivers: ['ipmi', 'manual'] },
    steps: { claim: done, cordon: done, fence: { startedAt: now, epoch: 7, detail } },
  });

describe('a node that is not listed', () => {
  const command =
    'kubectl annotate --overwrite --namespace shop configmap liberator-takeover-d1 liberator.dev/confirmed-dead=d1';
  const story = '; "liberator takeovers node-1" tells that story';

  it('is said to wait, for what, and what helps, while its takeover is in its fence', () => {
    expect(said(inFence('the BMC does not answer'))).toBe(
      'its Node is not there, and its takeover waits in step fence: the BMC does not answer; once you have made sure that ' +
        `the machine is off: liberator confirm node-1, or ${command}${story}`,
    );
  });

  it('is told of once what helps, where the driver that waits says so itself', () => {
    const detail = `make sure that node-1 is off, then: liberator confirm node-1, or ${command}`;
    expect(said(inFence(detail))).toBe(
      `its Node is not there, and its takeover waits in step fence: ${detail}${story}`,
    );
  });

  it('is said to be taken over only once its pods are let go of', () => {
    const released = { claim: done, cordon: done, fence: done, recheck: done, release: done, remove: done };
    const verify = { startedAt: now, epoch: 7, detail: 'shop/db-0: not scheduled yet' };
    expect(said(takeoverRecord({ steps: { ...released, verify } }))).toBe(
      `its Node is not there, and it was taken over; its pods are still waited for: shop/db-0: not scheduled yet${story}`,
    );
    expect(said(takeoverRecord({ result: 'recovered', closedAt: now }))).toBe(
      `its Node is not there, and it was taken over and is not back${story}`,
    );
  });

  it('is not said to be taken over by one that came to nothing', () => {
    expect(said(takeoverRecord({ result: 'overtaken', closedAt: now }))).toContain(
      'its last takeover was overtaken',
    );
    expect(said(takeoverRecord({ undoing: 'it lives' }))).toContain('its takeover is being undone: it lives');
  });

  it('without a takeover is unknown', () => {
    expect(said()).toBe('there are node-2');
  });
});
