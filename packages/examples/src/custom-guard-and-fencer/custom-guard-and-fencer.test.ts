// The example as a whole, and its guard and its fencer by themselves, as an embedder would test them.
import {
  type FenceContext,
  type FencePermit,
  type FenceTarget,
  fencerConformance,
  systemClock,
} from '@liberator/core';
import { type GuardInput, pass } from '@liberator/core/policy';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../testing/run-program.ts';
import { policy } from './policy.ts';
import { startPowerStrip } from './power-strip.ts';
import { powerSwitch } from './power-switch.ts';
import { bench } from './power-switch-bench.ts';
import { ticketAnnotation, ticketGuard } from './ticket-guard.ts';

const target: FenceTarget = {
  name: 'node-1',
  uid: 'uid',
  deathId: 'death',
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: '' },
    addresses: [],
    labels: {},
    annotations: {},
  },
  howToConfirm: '',
};

const permitted = (permit: FencePermit = { outcome: 'granted', validForMs: 5_000 }): FenceContext => ({
  signal: new AbortController().signal,
  clock: systemClock,
  permit: async () => permit,
});

describe('the example of a guard and a fencer', () => {
  it('holds until there is a ticket, and releases only with the proof of the power strip', async () => {
    const { exitCode, stdout, stderr } = await runProgram('custom-guard-and-fencer');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const places = [
      'no ticket yet',
      'opens ticket',
      'claim',
      'told to go off',
      'proof: powered-off',
      'release',
    ];
    const found = places.map((words) => stdout.indexOf(words));
    expect(found).not.toContain(-1);
    expect(found).toEqual(found.toSorted((a, b) => a - b));
  });
});

describe('the ticket guard', () => {
  const annotated = (annotations: Readonly<Record<string, string>>): GuardInput => ({
    node: { name: 'node-1', uid: 'uid', labels: {}, annotations, taints: [] },
    assessment: {
      health: 'dead',
      evidence: 'unreachable',
      reasons: [],
      hostUp: false,
      silentSince: 0,
      nextCheckAt: undefined,
    },
    policy,
    fleet: { nodes: 3, dead: ['node-1'], blind: [], paused: undefined },
    now: 60_000,
  });

  it('passes with a ticket, and holds without one or with something else, saying what to type', () => {
    expect(ticketGuard.evaluate(annotated({ [ticketAnnotation]: 'OPS-1234' }))).toEqual(pass);
    for (const annotations of [{}, { [ticketAnnotation]: 'later' }]) {
      expect(ticketGuard.evaluate(annotated(annotations))).toMatchObject({
        outcome: 'hold',
        reason: expect.stringContaining(`kubectl annotate node node-1 ${ticketAnnotation}=`),
      });
    }
  });
});

describe('the power switch', () => {
  it.concurrent.each(fencerConformance(bench))('$name', ({ run }) => run());

  it('proves nothing by an order, only by what the outlet says, and orders once', async () => {
    const cut: string[] = [];
    await using strip = await startPowerStrip(async (outlet) => void cut.push(outlet));
    const fencer = powerSwitch({ url: strip.url });
    expect(await fencer.fence(target, permitted())).toMatchObject({ outcome: 'waiting' });
    expect(await fencer.fence(target, permitted())).toMatchObject({
      outcome: 'fenced',
      proof: 'powered-off',
    });
    expect(await fencer.fence(target, permitted())).toMatchObject({
      outcome: 'fenced',
      proof: 'powered-off',
    });
    expect(cut).toEqual(['node-1']);
  });

  it('orders nothing when it may not act at the very moment, and looks all the same', async () => {
    const cut: string[] = [];
    await using strip = await startPowerStrip(async (outlet) => void cut.push(outlet));
    const fencer = powerSwitch({ url: strip.url });
    const refused = permitted({ outcome: 'refused', code: 'alive', detail: 'its Lease was renewed' });
    expect(await fencer.fence(target, refused)).toEqual({
      outcome: 'failed',
      detail: 'not switched off: its Lease was renewed',
    });
    expect(cut).toEqual([]);
    await fencer.fence(target, permitted());
    expect(await fencer.fence(target, refused)).toMatchObject({ outcome: 'fenced', proof: 'powered-off' });
  });

  it('waits with what went wrong when the strip can not be reached, or its relay is stuck', async () => {
    const strip = await startPowerStrip(() => Promise.reject(new Error('stuck')));
    const fencer = powerSwitch({ url: strip.url });
    await fencer.fence(target, permitted());
    expect(await fencer.fence(target, permitted())).toMatchObject({ outcome: 'waiting' });
    await strip[Symbol.asyncDispose]();
    expect(await fencer.fence(target, permitted())).toMatchObject({ outcome: 'failed' });
  });
});
