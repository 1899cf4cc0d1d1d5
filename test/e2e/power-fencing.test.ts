// Proof without a human, on a real control plane: nodes that live on are switched off through a Redfish service that others wrote,
// and nothing of theirs is freed before.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pod, TakeoverRecord } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { IpmiMachine } from '../fencing/ipmi-machine.ts';
import { watching } from '../fencing/process-watch.ts';
import { fast } from './fast.ts';
import { freePort } from './machines/free-port.ts';
import { PoweredStage, type PoweredStageOptions } from './machines/powered-stage.ts';
import { expectNowhere } from './machines/secrets.ts';
import { databaseOn, pause, type Stage } from './stage.ts';

const ladder = [{ fencer: 'bmc', for: '20s' }, { fencer: 'manual' }];
const required = { detection: fast.detection, fencing: { ladder, proof: 'required' } };

const quick: PoweredStageOptions = {
  timings: fast.timings,
  settings: { ...fast.settings },
  policy: required,
};

describe('a node that is cut off while it lives on', () => {
  it('is switched off before anything of it is freed, and is trusted again once it has booted', async () => {
    await using powered = await PoweredStage.open({ ...quick, returning: { dwell: '5s' } });
    const { stage, room } = powered;
    const { before, node } = await databaseOn(stage);

    stage.cluster.cut(node);
    await stage.untilRecovered(before);

    expect(room.powerOf(node)).toBe('off');
    await expectPowerFirst(powered, node, before);
    const [record] = await stage.records();
    expect(record).toMatchObject({
      proof: 'powered-off',
      fencer: 'bmc',
      proofEvidence: expect.arrayContaining([
        expect.objectContaining({ said: expect.stringContaining('Off') }),
      ]),
    });

    await stage.cluster.start(node);
    await stage.cluster.untilReady(node, 'True');
    await stage.until('it bears no mark of ours', async () =>
      (await stage.taintsOf(node)).every((key) => !key.startsWith('liberator.dev/')),
    );
    await expectNowhere(powered.bmc.password, stage);
  });

  it('that comes back while its device does not act is left running, and its power on', async () => {
    await using powered = await PoweredStage.open(quick);
    const { stage, room } = powered;
    const { before, node } = await databaseOn(stage);
    room.faults.set(node, { stuck: true });

    stage.cluster.cut(node);
    await stage.until('its device was told to switch it off', async () => room.orders.length > 0);
    stage.cluster.heal(node);
    await stage.until('its takeover is undone', async () => (await stage.records())[0]?.result === 'undone');
    // From here on the device would obey.
    room.faults.clear();
    const told = room.orders.length;
    await pause(25_000);

    expect(room.orders).toHaveLength(told);
    expect(room.powerOf(node)).toBe('on');
    expect((await stage.database())?.metadata.uid).toBe(before.metadata.uid);
    expect(await stage.deletes('pods')).toEqual([]);
  });
});

it('a leader that dies between the order and its record is followed by one that goes on, on the same rung', async () => {
  await using powered = await PoweredStage.open(quick);
  const { stage, room } = powered;
  const { before, node } = await databaseOn(stage);
  const first = await stage.leader();
  room.onOrder = async (_, moment) => {
    if (moment === 'after') await stage.agent(first).kill('SIGKILL');
  };

  stage.cluster.cut(node);
  await stage.untilRecovered(before);

  const [record] = await stage.records();
  expect(record?.leader).not.toBe(first);
  expect(record).toMatchObject({ proof: 'powered-off', fencer: 'bmc', climb: { round: 1, rung: 0 } });
  expect(record?.climb?.rungs).toHaveLength(1);
  await expectPowerFirst(powered, node, before);
});

it('the agent of Debian switches the same service, with the system that a label names', async () => {
  const label = 'node-restriction.kubernetes.io/system';
  await using powered = await PoweredStage.open({
    ...quick,
    policy: {
      detection: fast.detection,
      fencing: { ladder: [{ fencer: 'program' }], proof: 'required' },
    },
    fencersBeside: ({ address, username, password }) => ({
      program: {
        driver: 'agent',
        program: 'fence_redfish',
        parameters: {
          ip: '127.0.0.1',
          ipport: new URL(address).port,
          systems_uri: `/redfish/v1/Systems/{label.${label}}`,
          ssl_insecure: 1,
        },
        secretParameters: { username, password },
      },
    }),
  });
  const { stage, room, bmc } = powered;
  for (const { name, uuid } of bmc.machines) await stage.label(name, { [label]: uuid });
  const { before, node } = await databaseOn(stage);

  const seen = await watching([bmc.password], async () => {
    stage.cluster.cut(node);
    await stage.untilRecovered(before);
  });

  expect(seen.programs).toContain('fence_redfish');
  expect(seen.leaks).toEqual([]);
  expect(room.powerOf(node)).toBe('off');
  await expectPowerFirst(powered, node, before);
  expect((await stage.records())[0]).toMatchObject({ proof: 'powered-off', fencer: 'program' });
  await expectNowhere(bmc.password, stage);
});

it('a device that takes orders and does nothing gives its turn to the next: IPMI, through the agent of Debian', async () => {
  // IPMI takes no more than 16 characters of everybody.
  const password = 'no-word-of-ours';
  await using ipmi = await IpmiMachine.start({ admin: password, viewer: 'nor-this-one' });
  const node = 'node-1';
  await using powered = await PoweredStage.open({
    ...quick,
    policy: {
      detection: fast.detection,
      fencing: {
        ladder: [
          { fencer: 'bmc', for: '5s' },
          { fencer: 'ipmi', for: '60s' },
        ],
        proof: 'required',
      },
    },
    fencersBeside: () => ({
      ipmi: {
        driver: 'agent',
        program: 'fence_ipmilan',
        node,
        parameters: { ip: '127.0.0.1', ipport: ipmi.port, username: 'admin', lanplus: 1, cipher: 3 },
        secretParameters: { password: join(ipmi.folder, 'admin') },
      },
    }),
  });
  const { stage, room } = powered;
  room.faults.set(node, { stuck: true });
  // One machine, two devices: what the second switches is the very power that the first reads.
  const wire = setInterval(() => {
    if (ipmi.power === 'off' && room.powerOf(node) === 'on') room.crash(node);
  }, 20);

  try {
    const seen = await watching([password, powered.bmc.password], async () => {
      stage.cluster.cut(node);
      await stage.until(`${node} is taken over`, async () =>
        (await stage.records()).some((record) => record.node.name === node && record.result === 'recovered'),
      );
    });
    expect(seen.programs).toEqual(expect.arrayContaining(['fence_ipmilan', 'ipmitool']));
    expect(seen.leaks).toEqual([]);
  } finally {
    clearInterval(wire);
  }
  const [record] = await stage.records();
  expect(record).toMatchObject({ proof: 'powered-off', fencer: 'ipmi' });
  expect(record?.climb?.rungs.map(({ fencer, end }) => [fencer, end])).toEqual([
    ['bmc', 'time-out'],
    ['ipmi', undefined],
  ]);
  const [removed] = await stage.deletes('nodes');
  expect(removed?.receivedAt.getTime()).toBeGreaterThan(room.switchedOffAt(node) ?? Infinity);
  for (const secret of [password, powered.bmc.password]) await expectNowhere(secret, stage);
});

it('a device that is slow gives its proof; those that cannot prove anything free nothing, and tell a human why', async () => {
  const nobody = await freePort();
  const machine = (name: string): object => ({
    nodes: { matchLabels: { 'kubernetes.io/hostname': name } },
    detection: fast.detection,
    budget: { maxDead: 10, maxDeadPercent: 100 },
  });
  const by = (fencer: string): object => ({
    fencing: { ladder: [{ fencer, for: '8s' }, { fencer: 'manual' }], proof: 'required' },
  });
  const nodesOf = { slow: 'node-1', stuck: 'node-2', dead: 'node-3', wrong: 'node-4', stranger: 'node-5' };
  const credentials = join(process.env['TMPDIR'] ?? '/tmp', `wrong-password-${process.pid}`);
  writeFileSync(credentials, 'this is not it', { mode: 0o600 });
  await using powered = await PoweredStage.open({
    ...quick,
    nodes: 11,
    policies: [
      { name: 'slow', ...machine(nodesOf.slow), fencing: { ladder, proof: 'required' } },
      { name: 'stuck', ...machine(nodesOf.stuck), ...by('bmc') },
      { name: 'dead', ...machine(nodesOf.dead), ...by('dead') },
      { name: 'wrong', ...machine(nodesOf.wrong), ...by('wrong') },
      { name: 'stranger', ...machine(nodesOf.stranger), ...by('bmc') },
    ],
    fencersBeside: (bmc) => ({
      dead: { ...bmc, address: `https://127.0.0.1:${nobody}` },
      wrong: { ...bmc, password: credentials },
    }),
    machines: (all) =>
      all.map((one) =>
        one.name === nodesOf.stranger ? { ...one, uuid: 'deadbeefdeadbeefdeadbeefdeadbeef' } : one,
      ),
  });
  const { stage, room } = powered;
  room.faults.set(nodesOf.slow, { slowMs: 1_500 });
  room.faults.set(nodesOf.stuck, { stuck: true });

  const mute = [nodesOf.stuck, nodesOf.dead, nodesOf.wrong, nodesOf.stranger];
  // One after the other: several at once would be an outage, and nobody's death.
  for (const name of [nodesOf.slow, ...mute]) {
    stage.cluster.cut(name);
    await stage.until(`the takeover of ${name} has begun`, async () =>
      (await stage.records()).some(({ node }) => node.name === name),
    );
  }
  await stage.until('the slow one is proven off', async () =>
    (await stage.records()).some(({ node, proof }) => node.name === nodesOf.slow && proof === 'powered-off'),
  );
  await stage.until('the others wait for a human', async () => {
    const records = await stage.records();
    return mute.every((name) => detailOf(records, name).includes(`liberator confirm ${name}`));
  });
  const records = await stage.records();
  const why: Readonly<Record<string, RegExp>> = {
    [nodesOf.dead]: /^dead: .*(?:refused|ECONNREFUSED)/,
    [nodesOf.wrong]: /^wrong: .*401/,
    [nodesOf.stranger]: /^bmc: .*no machine has the UUID/,
    [nodesOf.stuck]: /^bmc: /,
  };
  for (const [name, words] of Object.entries(why)) expect(detailOf(records, name)).toMatch(words);
  const freed = await stage.deletes('nodes');
  expect(freed.filter(({ name }) => mute.includes(name ?? ''))).toEqual([]);
  expect(mute.map((name) => room.powerOf(name))).toEqual(['on', 'on', 'on', 'on']);
  expect(room.orders.filter((order) => !order.startsWith(nodesOf.slow)).sort()).toEqual(
    expect.arrayContaining([`${nodesOf.stuck} off`]),
  );
  expect(room.orders.filter((order) => /node-[345] /.test(order))).toEqual([]);

  const waiting = records.find(({ node }) => node.name === nodesOf.dead);
  await stage.confirmDead(nodesOf.dead, waiting?.deathId ?? '');
  await stage.until('a human ended one of them', async () =>
    (await stage.records()).some(
      ({ node, proof }) => node.name === nodesOf.dead && proof === 'confirmed-by-human',
    ),
  );
  await expectNowhere(powered.bmc.password, stage);
});

function detailOf(records: readonly TakeoverRecord[], node: string): string {
  return records.find((record) => record.node.name === node)?.steps.fence?.detail ?? '';
}

/** The API server's log and the machines' own agree: whatever was freed was freed after the power was gone. */
async function expectPowerFirst(
  { stage, room }: Pick<PoweredStage, 'stage' | 'room'>,
  node: string,
  pod: Pod,
): Promise<void> {
  const offAt = room.switchedOffAt(node);
  expect(offAt).toBeDefined();
  const freed = await freeing(stage, node);
  expect(freed.map(({ uid }) => uid)).toContain(pod.metadata.uid);
  for (const { receivedAt } of freed) expect(receivedAt.getTime()).toBeGreaterThan(offAt ?? Infinity);
}

/** Whoever deleted a pod without its kubelet's word, or marked the node as out of service. */
async function freeing(
  stage: Stage,
  node: string,
): Promise<readonly { readonly uid?: string; readonly receivedAt: Date }[]> {
  const deletes = await stage.cluster.audit({ verb: 'delete', resource: 'pods', code: 200 });
  const forced = deletes.filter(({ requestObject }) => {
    return (requestObject as { gracePeriodSeconds?: number } | undefined)?.gracePeriodSeconds === 0;
  });
  const marks = await stage.cluster.audit({ verb: 'patch', resource: 'nodes', name: node, code: 200 });
  const outOfService = marks.filter(({ requestObject }) =>
    JSON.stringify(requestObject ?? null).includes('node.kubernetes.io/out-of-service'),
  );
  return [...forced, ...outOfService];
}
