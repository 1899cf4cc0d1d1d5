// An invariant that can't be broken proves nothing: each is shown what it must find, and what it must not.
import type { StepRecord } from '@liberator/core';
import { resources } from '@liberator/simulator';
import { describe, expect, it } from 'vitest';
import { encore, oneNodesTrouble } from '../encore.ts';
import { everything } from '../world/human-touch.ts';
import { encoreTroubles } from '../world/scenario.ts';
import { everyHarmIsPrecededByALook } from './every-harm-is-preceded-by-a-look.ts';
import { noSoonerThanAgreed } from './no-sooner-than-agreed.ts';
import { nothingIsAFlood } from './nothing-is-a-flood.ts';
import { nothingIsSilent } from './nothing-is-silent.ts';
import { oneRungAtATime } from './one-rung-at-a-time.ts';
import { proofMeansProof } from './proof-means-proof.ts';
import { setStage } from './stage.ts';
import { unreadableRecordsAreLeftAlone } from './unreadable-records-are-left-alone.ts';
import { withinBudget } from './within-budget.ts';

const minute = 60_000;
const begun: StepRecord = { startedAt: '2026-01-01T00:00:00.000Z', epoch: 1 };

describe('every-harm-is-preceded-by-a-look', () => {
  it('finds a switch that is used on a node which has renewed its Lease since', async () => {
    await using stage = await setStage(everyHarmIsPrecededByALook);
    await stage.record('node-1', { steps: { fence: begun } });
    // The kubelet renews every ten seconds, so within twelve and eleven more a look must have shown it.
    await stage.pass(24_000);
    expect(stage.fence('node-1')).toMatch(/switch was used on node-1 although the API server has had/);
  });

  it('finds nothing in a switch that is used on a node which has not', async () => {
    await using stage = await setStage(everyHarmIsPrecededByALook);
    stage.world.simulator.machine('node-1').cut();
    await stage.record('node-1', { steps: { fence: begun } });
    await stage.pass(minute);
    expect(stage.fence('node-1')).toBeUndefined();
  });

  it('leaves it the time in which a look grows old', async () => {
    await using stage = await setStage(everyHarmIsPrecededByALook);
    const machine = stage.world.simulator.machine('node-1');
    machine.cut();
    await stage.record('node-1', { steps: { fence: begun } });
    await stage.pass(30_000);
    machine.heal();
    const before = stage.renewTime('node-1');
    while (stage.renewTime('node-1') === before) await stage.pass(100);
    await stage.pass(10_000);
    expect(stage.fence('node-1')).toBeUndefined();
    await stage.pass(2_000);
    expect(stage.fence('node-1')).toMatch(/although the API server has had its heartbeat/);
  });

  it.each(['node-1', everything])(
    'finds a switch that is used, and a Node that is marked or deleted, while "%s" is paused',
    async (paused) => {
      await using stage = await setStage(everyHarmIsPrecededByALook);
      stage.world.simulator.machine('node-1').cut();
      await stage.record('node-1', { steps: { fence: begun } });
      // There is no election without replicas.
      if (paused === everything) putUpElectionLease(stage.world);
      const resume = stage.world.human.pause(paused);
      await stage.pass(20_000);
      expect(stage.fence('node-1')).toBeUndefined();
      await stage.pass(20_000);
      expect(stage.fence('node-1')).toMatch(/had been paused for/);
      expect(stage.send('mark-out-of-service', 'node-1')).toMatch(/had been paused for/);
      expect(stage.send('delete-node', 'node-1')).toMatch(/had been paused for/);
      resume?.();
      expect(stage.fence('node-1')).toBeUndefined();
    },
  );

  it('lets a release go on that began before the pause, and none that began under it', async () => {
    await using stage = await setStage(everyHarmIsPrecededByALook);
    const { node, pod } = stage.loaded;
    stage.world.simulator.machine(node).cut();
    await stage.record(node, { steps: { release: begun } });
    await stage.pass(1_000);
    expect(stage.send('mark-out-of-service', node)).toBeUndefined();
    stage.world.human.pause(node);
    await stage.pass(minute);
    expect(stage.send('delete-pod', pod)).toBeUndefined();

    await using other = await setStage(everyHarmIsPrecededByALook);
    other.world.simulator.machine(node).cut();
    await other.record(node, { steps: { release: begun } });
    other.world.human.pause(node);
    await other.pass(minute);
    expect(other.send('delete-pod', pod)).toMatch(/had been paused for/);
  });
});

describe('proof-means-proof', () => {
  it('finds a pod that is deleted without a proof on record, its Node there or gone', async () => {
    await using stage = await setStage(proofMeansProof);
    const { node, pod } = stage.loaded;
    await stage.record(node, { steps: { release: begun } });
    expect(stage.send('delete-pod', pod)).toMatch(/without a proof \(takeover-1: no proof\)/);
    expect(stage.send('mark-out-of-service', node)).toMatch(/without a proof/);
    expect(stage.send('delete-node', node)).toMatch(/without a proof/);
    stage.world.human.deleteNode(node);
    expect(stage.send('delete-pod', pod)).toMatch(/whose Node is gone/);
  });

  it('takes the proof "none" for none', async () => {
    await using stage = await setStage(proofMeansProof);
    const { node, pod } = stage.loaded;
    await stage.record(node, { proof: 'none' });
    expect(stage.send('delete-pod', pod)).toMatch(/takeover-1: none/);
  });

  it('finds nothing where a proof is on record, or none is required', async () => {
    await using stage = await setStage(proofMeansProof);
    const { node, pod } = stage.loaded;
    await stage.record(node, { proof: 'powered-off' });
    expect(stage.send('delete-pod', pod)).toBeUndefined();
    await using lax = await setStage(proofMeansProof, { proof: 'optional' });
    await lax.record(node);
    expect(lax.send('delete-pod', pod)).toBeUndefined();
  });

  it('takes a proof that the policy does not accept for none', async () => {
    await using stage = await setStage(proofMeansProof, { fencing: { accept: ['powered-off'] } });
    const { node, pod } = stage.loaded;
    await stage.record(node, { proof: 'isolated' });
    expect(stage.send('delete-pod', pod, { namespace: 'default' })).toMatch(/without a proof .*: isolated/);
  });
});

describe('no-sooner-than-agreed', () => {
  const agreed = { proof: 'optional', fencing: { giveUpAfterMs: 60_000 } } as const;

  it('finds a pod that is deleted without a proof before the time that was agreed on', async () => {
    await using stage = await setStage(noSoonerThanAgreed, agreed);
    const { node, pod } = stage.loaded;
    await stage.record(node, { proof: 'none' });
    await stage.pass(50_000);
    expect(stage.send('delete-pod', pod, { namespace: 'default' })).toMatch(/60000 ms were agreed on/);
  });

  it('finds nothing after it, nor where there is a proof', async () => {
    await using stage = await setStage(noSoonerThanAgreed, agreed);
    const { node, pod } = stage.loaded;
    const record = await stage.record(node, { proof: 'powered-off' });
    expect(stage.send('delete-pod', pod, { namespace: 'default' })).toBeUndefined();
    await stage.pass(60_000);
    await stage.rewrite({ ...record, proof: 'none' });
    expect(stage.send('delete-pod', pod, { namespace: 'default' })).toBeUndefined();
  });
});

describe('one-rung-at-a-time', () => {
  const turn = (fencer: string, more: object = {}) => ({
    fencer,
    round: 1,
    startedAt: begun.startedAt,
    epoch: 1,
    beganMs: 0,
    ...more,
  });
  const first = { round: 1, rung: 0, rungs: [turn('switch')] };

  it('finds a device that is used in the turn of another one, after its own, or in nobody’s', async () => {
    await using stage = await setStage(oneRungAtATime);
    const record = await stage.record('node-1', { steps: { fence: begun } });
    expect(stage.order('node-1')).toMatch(/while it was the turn of nobody/);
    await stage.rewrite({ ...record, climb: first });
    expect(stage.order('node-1')).toBeUndefined();
    expect(stage.order('node-1', 'pdu')).toMatch(/pdu was used on node-1 while it was the turn of switch/);
    await stage.rewrite({
      ...record,
      climb: { ...first, rungs: [turn('switch', { overMs: 5, end: 'time-out' })] },
    });
    expect(stage.order('node-1')).toMatch(/switch was used on node-1 while/);
  });

  it('finds a turn that is begun or ended a second time, and a climb that goes back', async () => {
    await using stage = await setStage(oneRungAtATime);
    const record = await stage.record('node-1', { steps: { fence: begun }, climb: first });
    expect(stage.apply('record', 'node-1')).toBeUndefined();
    const with2 = (rung: number, ...rungs: object[]) =>
      stage.rewrite({ ...record, climb: { round: 1, rung, rungs } as never });
    const over = turn('switch', { overMs: 90_000, end: 'time-out' });
    expect(await with2(1, over, turn('pdu', { beganMs: 90_000 }))).toBeUndefined();
    expect(await with2(1, over, turn('pdu', { beganMs: 95_000, epoch: 2 }))).toMatch(
      /began the turn of pdu in round 1 a second time, in term 2 after term 1/,
    );
    expect(await with2(1, { ...over, overMs: 91_000 }, turn('pdu', { beganMs: 95_000, epoch: 2 }))).toMatch(
      /had the turn of switch in round 1 end a second time/,
    );
    expect(await with2(0, over)).toMatch(/went back from rung 1 of round 1 to rung 0 of round 1/);
  });

  it('finds nothing in another round', async () => {
    await using stage = await setStage(oneRungAtATime);
    const record = await stage.record('node-1', { steps: { fence: begun }, climb: first });
    stage.apply('record', 'node-1');
    const again = { round: 2, rung: 0, rungs: [turn('switch', { round: 2, beganMs: 100_000 })] };
    expect(await stage.rewrite({ ...record, climb: again })).toBeUndefined();
  });
});

describe('unreadable-records-are-left-alone', () => {
  it('finds whoever writes over a spoiled record, until it is put right', async () => {
    await using stage = await setStage(unreadableRecordsAreLeftAlone);
    const { id } = await stage.record('node-1');
    const name = `liberator-takeover-${id}`;
    expect(stage.apply('record', name)).toBeUndefined();
    const putRight = stage.world.human.spoilRecord('node-1', 'without-node');
    expect(stage.apply('record', name)).toMatch(/which nobody can read/);
    putRight();
    expect(stage.apply('record', name)).toBeUndefined();
  });
});

describe('within-budget', () => {
  const open = async (stage: Awaited<ReturnType<typeof setStage>>, node: string, more = {}) => {
    const record = await stage.record(node, more);
    return stage.apply('record', `liberator-takeover-${record.id}`);
  };

  it('finds the second of two unproven deaths where one is allowed', async () => {
    await using stage = await setStage(withinBudget);
    stage.world.simulator.machine('node-1').crash();
    expect(await open(stage, 'node-1')).toBeUndefined();
    expect(await open(stage, 'node-2')).toMatch(/node-1, node-2 count, of which the budget allows 1/);
  });

  it('counts a death whose takeover is over and whose Node is gone', async () => {
    await using stage = await setStage(withinBudget);
    stage.world.simulator.machine('node-1').crash();
    expect(await open(stage, 'node-1', { result: 'recovered' })).toBeUndefined();
    stage.world.human.deleteNode('node-1');
    await stage.pass(minute);
    expect(await open(stage, 'node-2')).toMatch(/node-1, node-2 count/);
  });

  it.each([
    { what: 'was proven', more: { proof: 'powered-off' as const }, waitMs: 0, returns: false },
    { what: 'was undone', more: { result: 'undone' as const }, waitMs: 0, returns: false },
    { what: 'is a window ago', more: {}, waitMs: 15 * minute, returns: false },
    { what: 'was followed by a return', more: {}, waitMs: minute, returns: true },
  ])('does not count a death that $what', async ({ more, waitMs, returns }) => {
    await using stage = await setStage(withinBudget);
    const machine = stage.world.simulator.machine('node-1');
    machine.crash();
    expect(await open(stage, 'node-1', more)).toBeUndefined();
    if (returns) machine.powerOn();
    await stage.pass(waitMs);
    expect(await open(stage, 'node-2')).toBeUndefined();
  });
});

describe('nothing-is-silent', () => {
  it('finds a node of whose death nobody was told', async () => {
    await using stage = await setStage(nothingIsSilent);
    stage.world.simulator.machine('node-2').crash();
    expect(await stage.pass(2 * minute)).toBeUndefined();
    expect(await stage.pass(2 * minute)).toMatch(/no Event about node-2/);
  });

  it('finds nothing once an Event has left', async () => {
    await using stage = await setStage(nothingIsSilent);
    stage.world.simulator.machine('node-2').crash();
    await stage.pass(minute);
    stage.send('event', '', { about: { kind: 'Node', name: 'node-2' } });
    expect(await stage.pass(10 * minute)).toBeUndefined();
  });

  it('does not take an Event about another node, or an earlier death, for one', async () => {
    await using stage = await setStage(nothingIsSilent);
    const machine = stage.world.simulator.machine('node-2');
    stage.send('event', '', { about: { kind: 'Node', name: 'node-2' } });
    await stage.pass(minute);
    machine.crash();
    await stage.pass(minute);
    stage.send('event', '', { about: { kind: 'Node', name: 'node-1' } });
    expect(await stage.pass(3 * minute)).toMatch(/no Event about node-2/);
  });

  it('expects nothing while something is between the replicas and the API server', async () => {
    await using stage = await setStage(nothingIsSilent);
    stage.world.simulator.machine('node-2').crash();
    stage.world.disturbed(10 * minute);
    expect(await stage.pass(12 * minute)).toBeUndefined();
    expect(await stage.pass(2 * minute)).toMatch(/no Event about node-2/);
  });
});

describe('nothing-is-a-flood', () => {
  const about = { kind: 'Node', name: 'node-1' };

  it('finds a node that is told about every second', async () => {
    await using stage = await setStage(nothingIsAFlood);
    const found: (string | undefined)[] = [];
    for (let second = 0; second < 40; second++) {
      found.push(stage.send('event', '', { about }));
      await stage.pass(1_000);
    }
    expect(found.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => undefined));
    expect(found.at(-1)).toBe('40 Events about one node (node-1) within 60 s');
  });

  it('finds a zone that is told about all at once', async () => {
    await using stage = await setStage(nothingIsAFlood);
    const found = Array.from({ length: 41 }, (_, at) =>
      stage.send('event', '', { about: { kind: 'Node', name: `node-${at}` } }),
    );
    expect(found.at(-2)).toBeUndefined();
    expect(found.at(-1)).toBe('41 Events within 1 s');
  });

  it('finds a pod that is deleted again and again', async () => {
    await using stage = await setStage(nothingIsAFlood);
    const found = Array.from({ length: 9 }, () => stage.send('delete-pod', 'set-1-0'));
    expect(found.at(-1)).toMatch(/9 deletions of one pod/);
  });

  it('finds takeovers that are opened and undone without end', async () => {
    await using stage = await setStage(nothingIsAFlood);
    let found: string | undefined;
    for (let count = 0; count < 5; count++) {
      const { id } = await stage.record('node-1', { result: 'undone' });
      found = stage.apply('record', `liberator-takeover-${id}`, { method: 'POST' });
    }
    expect(found).toBe('5 new records of one node (node-1) within 60 s');
  });

  it('finds nothing in as much over a longer time', async () => {
    await using stage = await setStage(nothingIsAFlood);
    for (let count = 0; count < 40; count++) {
      expect(stage.send('event', '', { about })).toBeUndefined();
      await stage.pass(10_000);
    }
  });
});

describe(oneNodesTrouble.name, () => {
  it.each(encoreTroubles)(
    'finds a second death that nobody acts on, the first with "%s"',
    async (trouble) => {
      // Nobody leads: whatever the first node's trouble is, the second one is not taken over.
      await using stage = await setStage(withinBudget, { nodes: 6, maxDead: 2 });
      await encore(stage.world, { trouble, afterMs: 30_000 });
      expect(stage.world.violation?.invariant).toBe(oneNodesTrouble.name);
      expect(stage.world.violation?.found).toMatch(/was not released/);
    },
  );
});

function putUpElectionLease({ simulator }: Awaited<ReturnType<typeof setStage>>['world']): void {
  const metadata = { name: 'liberator', namespace: 'liberator' };
  simulator.store.create(resources.leases, { metadata, spec: {} }, { user: 'replica-1' });
}
