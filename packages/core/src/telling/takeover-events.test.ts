// Which moments of a takeover people hear of, and in which words.
import { describe, expect, it } from 'vitest';
import type { TakeoverProgress } from '../takeover/executor.ts';
import { newRecord } from '../testing/dead-node.ts';
import { eventFor } from './takeover-events.ts';

const moment = (
  step: TakeoverProgress['step'],
  phase: TakeoverProgress['phase'],
  detail = '',
): TakeoverProgress => ({
  record: newRecord({ undoing: 'its Lease was renewed' }),
  step,
  phase,
  detail,
});

/** The same, of a step that could not do all of it. */
const leaving = (...[step, phase, detail]: Parameters<typeof moment>): TakeoverProgress => ({
  ...moment(step, phase, detail),
  record: newRecord({ steps: { [step]: { startedAt: '', epoch: 1, left: ['something'] } } }),
});

const overtaken = newRecord({ overtaken: 'a new Node has taken its name', left: ['taint x'] });

describe('a moment of a takeover', () => {
  it.each([
    {
      at: moment('claim', 'done'),
      type: 'Warning',
      reason: 'TakeoverStarted',
      says: 'Lease not renewed for 25s',
    },
    {
      at: moment('fence', 'waiting', 'is it off?'),
      type: 'Warning',
      reason: 'FencingPending',
      says: 'is it off?',
    },
    {
      at: { ...moment('fence', 'waiting', 'held: paused: night'), held: true as const },
      type: 'Warning',
      reason: 'TakeoverHeld',
      says: 'paused',
    },
    {
      at: { ...moment('remove', 'waiting', 'held: paused: night'), held: true as const },
      type: 'Warning',
      reason: 'TakeoverHeld',
      says: 'paused',
    },
    {
      at: moment('fence', 'done', 'proof: powered-off'),
      type: 'Normal',
      reason: 'NodeFenced',
      says: 'powered-off',
    },
    {
      at: moment('release', 'done', '2 pods are free'),
      type: 'Normal',
      reason: 'NodeReleased',
      says: '2 pods',
    },
    { at: moment('remove', 'done', 'Node deleted'), type: 'Normal', reason: 'NodeRemoved', says: 'deleted' },
    { at: moment('remove', 'skipped', 'kept'), type: 'Normal', reason: 'NodeKept', says: 'kept' },
    {
      at: moment('verify', 'done', '1 pod is Ready'),
      type: 'Normal',
      reason: 'TakeoverVerified',
      says: 'Ready',
    },
    {
      at: leaving('verify', 'done', 'not recovered: db'),
      type: 'Warning',
      reason: 'TakeoverVerified',
      says: 'db',
    },
    {
      at: leaving('release', 'done', 'gave up waiting for pod db'),
      type: 'Warning',
      reason: 'NodeReleased',
      says: 'gave up',
    },
    {
      at: leaving('release', 'skipped', 'gave up: the Node can not be read'),
      type: 'Warning',
      reason: 'TakeoverHeld',
      says: 'not released: gave up',
    },
    {
      at: leaving('remove', 'skipped', 'the Node is still there: held by finalizer x'),
      type: 'Warning',
      reason: 'NodeKept',
      says: 'finalizer x',
    },
    {
      at: { ...moment('undo', 'done', 'left on the Node: taint x'), record: overtaken },
      type: 'Warning',
      reason: 'TakeoverUndone',
      says: 'a new Node has taken its name; left on the Node: taint x',
    },
    {
      at: moment('undo', 'done', 'our taint is gone'),
      type: 'Normal',
      reason: 'TakeoverUndone',
      says: 'renewed',
    },
  ])('$at.step $at.phase "$at.detail" becomes $reason', ({ at, type, reason, says }) => {
    const event = eventFor(at);
    expect(event).toMatchObject({ type, reason, node: { name: 'node-1', uid: 'n1' } });
    expect(event?.message).toContain(says);
    expect(event?.message).toContain('(takeover death)');
  });

  it.each([
    moment('cordon', 'done'),
    moment('recheck', 'done'),
    moment('close', 'done'),
    moment('claim', 'started'),
    moment('fence', 'started'),
    moment('fence', 'skipped', 'the Node no longer exists'),
    moment('release', 'skipped', 'a new Node has taken its name'),
    leaving('cordon', 'skipped', 'not tainted: refused'),
    moment('fence', 'retrying', 'no answer'),
    moment('release', 'waiting', 'waiting for pod default/db-0'),
    moment('verify', 'waiting', 'default/db-0: starting'),
  ])('$step $phase is too small for an Event', (at) => {
    expect(eventFor(at)).toBeUndefined();
  });
});
