// The Redfish driver against a controller on a real socket, with every fault that one may have.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { sleep, systemClock } from '@liberator/core';
import type { BmcFaults, BmcMachineFaults } from '@liberator/simulator';
import { describe, expect, it } from 'vitest';
import {
  otherUuid,
  password,
  RedfishStage,
  type StageOptions,
  targetOf,
  username,
  uuid,
} from './redfish-stage.ts';

const swapped = '33221100-5544-7766-8899-AABBCCDDEEFF';
const two: StageOptions = {
  bmc: {
    machines: [
      { name: 'node-1', uuid },
      { name: 'node-2', uuid: otherUuid },
    ],
  },
};

describe('a machine that must be fenced', () => {
  it('is switched off, with evidence of both ends of the settling time', async () => {
    await using stage = await RedfishStage.open();
    const result = await stage.fence();
    expect(result).toEqual({
      outcome: 'fenced',
      proof: 'powered-off',
      detail: `${stage.bmc.url}: /redfish/v1/Systems/node-1 is off, and stayed so for 0.06 s`,
      evidence: [`UUID ${uuid}, PowerState On`, 'ForceOff: 204', 'PowerState Off', 'PowerState Off'].map(
        (said) => ({
          witness: `${stage.bmc.url}/redfish/v1/Systems/node-1`,
          said,
          at: expect.stringMatching(/^\d{4}-.*Z$/),
        }),
      ),
    });
    expect([stage.resets, stage.permitsAsked]).toEqual([['node-1 ForceOff'], 1]);
    expect(stage.bmc.machine('node-1').power).toBe('Off');
    expect(stage.fencer).toMatchObject({ acts: 'power', proofs: ['powered-off'] });
  });

  it('is the same, with the same words, when it is asked about twice', async () => {
    await using stage = await RedfishStage.open();
    const [first, second] = [await stage.fence(), await stage.fence()];
    expect(second.detail).toBe(first.detail);
    expect([first.outcome, second.outcome]).toEqual(['fenced', 'fenced']);
  });

  it('is sent ForceOff though it reads Off', async () => {
    await using stage = await RedfishStage.open();
    stage.bmc.machine('node-1').switch('Off');
    expect(await stage.fence()).toMatchObject({ outcome: 'fenced' });
    expect(stage.resets).toEqual(['node-1 ForceOff']);
  });

  it.each<[string, BmcFaults, BmcMachineFaults]>([
    ['slow', { slowMs: 150 }, {}],
    ['off already, which is a conflict', {}, { already: 409 }],
    ['off already, which is a bad request', {}, { already: 400 }],
    ['switched by a task', {}, { task: 'ends' }],
    ['changed only by who has seen it', {}, { needsIfMatch: true }],
    ['at another path', { redirect: 'here' }, {}],
    ['known by the other byte order', {}, { swappedUuid: true }],
    ['telling that it goes off', {}, { reads: 'PoweringOff' }],
    ['cut short in its answer to the reset alone', { on: 'resets', truncated: true }, { task: 'ends' }],
    ['talking of something else in its answer to the reset', { on: 'resets', notJson: true }, {}],
  ])('is fenced when it is %s', async (_, faults, machineFaults) => {
    await using stage = await RedfishStage.open();
    if (machineFaults.already !== undefined) stage.bmc.machine('node-1').switch('Off');
    stage.bmc.faults = faults;
    stage.bmc.machine('node-1').faults = machineFaults;
    expect(await stage.fence()).toMatchObject({ outcome: 'fenced', proof: 'powered-off' });
    expect(stage.bmc.machine('node-1').power).toBe('Off');
    expect(stage.permitsAsked).toBe(stage.resets.length);
  });

  it('is waited for while it goes off', async () => {
    await using stage = await RedfishStage.open({
      bmc: { machines: [{ name: 'node-1', uuid, offMs: 150 }] },
    });
    expect(await stage.fence()).toMatchObject({ outcome: 'fenced' });
  });

  it('is waited for while its task goes on', async () => {
    await using stage = await RedfishStage.open({
      bmc: { machines: [{ name: 'node-1', uuid, offMs: 150 }] },
    });
    stage.bmc.machine('node-1').faults = { task: 'ends' };
    expect(await stage.fence()).toMatchObject({ outcome: 'fenced' });
    expect(stage.bmc.requests.some(({ path }) => path.includes('TaskMonitors'))).toBe(true);
  });

  it('is found among others on several pages', async () => {
    const machines = Array.from({ length: 9 }, (_, at) => ({
      name: `node-${at}`,
      uuid: at === 7 ? uuid : `4c4c4544-0035-5810-8052-00000000000${at}`,
    }));
    await using stage = await RedfishStage.open({ bmc: { machines, pageSize: 4 } });
    expect(await stage.fence()).toMatchObject({ outcome: 'fenced' });
    expect(stage.resets).toEqual(['node-7 ForceOff']);
  });

  it('is the chosen one where the controller names no board', async () => {
    await using stage = await RedfishStage.open({ ...two, fencer: { system: '{name}' } });
    stage.bmc.machine('node-2').faults = { noUuid: true };
    expect(await stage.fence(targetOf({}, 'node-2'))).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('that of /redfish/v1/Systems/node-1, not of'),
    });
    stage.bmc.machine('node-1').faults = { noUuid: true };
    expect(await stage.fence()).toMatchObject({ outcome: 'fenced' });
    expect(stage.resets).toEqual(['node-1 ForceOff']);
  });

  it('is fenced with the credentials of now, and a refusal of old ones is no refusal', async () => {
    await using stage = await RedfishStage.open();
    await stage.write('password', 'the old one');
    const fencing = stage.fencer.fence(targetOf(), {
      ...stage.context(),
      // Never reached with the old one.
      permit: () => stage.context().permit(),
    });
    expect(await fencing).toMatchObject({ outcome: 'failed', permanent: true });
    await stage.write('password', password);
    expect(await stage.fence()).toMatchObject({ outcome: 'fenced' });
  });

  it('is fenced when its credentials change between the look and the act, with a permit for each request', async () => {
    await using stage = await RedfishStage.open({
      bmc: {
        users: [
          { username, password },
          { username: 'second', password: 'another word' },
        ],
      },
    });
    stage.permits = [
      async () => {
        await stage.write('username', 'second');
        await stage.write('password', 'another word');
        stage.bmc.faults = { on: 'resets', unauthorized: true };
        return { outcome: 'granted', validForMs: 5_000 };
      },
      () => {
        stage.bmc.faults = {};
        return { outcome: 'granted', validForMs: 5_000 };
      },
    ];
    expect(await stage.fence()).toMatchObject({ outcome: 'fenced' });
    expect([stage.permitsAsked, stage.resets.length]).toEqual([2, 2]);
    expect(stage.bmc.requests.at(-1)?.user).toBe('second');
  });
});

describe('a machine that must not be touched, or cannot be proven off', () => {
  it.each<[string, BmcMachineFaults]>([
    ['has another UUID', { uuid: otherUuid }],
    ['has none', { noUuid: true }],
    ['has one of zeros', { uuid: '00000000-0000-0000-0000-000000000000' }],
    ['has one of effs', { uuid: 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF' }],
    ['may not be forced off', { allows: ['On', 'GracefulShutdown'] }],
  ])('is sent nothing when it %s', async (_, faults) => {
    await using stage = await RedfishStage.open();
    stage.bmc.machine('node-1').faults = faults;
    expect(await stage.fence()).toMatchObject({ outcome: 'failed', permanent: true });
    expect([stage.resets, stage.permitsAsked]).toEqual([[], 0]);
  });

  it('is sent nothing when two machines have its UUID, in whichever byte order', async () => {
    await using stage = await RedfishStage.open(two);
    stage.bmc.machine('node-2').faults = { uuid: swapped };
    expect(await stage.fence()).toMatchObject({
      outcome: 'failed',
      permanent: true,
      detail: `${stage.bmc.url}: 2 machines have the UUID ${uuid}`,
    });
    expect(stage.resets).toEqual([]);
  });

  it('is sent nothing when there is no such system', async () => {
    await using stage = await RedfishStage.open({ fencer: { system: 'node-9' } });
    expect(await stage.fence()).toMatchObject({
      outcome: 'failed',
      permanent: true,
      detail: `${stage.bmc.url}: there is no system node-9`,
    });
  });

  it.each<[string, BmcFaults, object]>([
    ['refuses our password', { unauthorized: true }, { outcome: 'failed', permanent: true }],
    [
      'hangs',
      { hang: true },
      { outcome: 'failed', detail: expect.stringMatching(/no answer within 0.4 s$/) },
    ],
    ['breaks the connection', { reset: true }, { outcome: 'failed' }],
    ['breaks its answers off', { truncated: true }, { outcome: 'failed' }],
    ['answers with a page for people', { notJson: true }, { outcome: 'failed' }],
    [
      'answers with megabytes',
      { bytes: 3_000_000 },
      { outcome: 'failed', detail: expect.stringContaining('more than 1048576 bytes') },
    ],
    ['is busy', { unavailable: { retryAfterS: 7 } }, { outcome: 'waiting', retryAfterMs: 7_000 }],
    ['is asked too often', { unavailable: { status: 429 } }, { outcome: 'waiting', retryAfterMs: 5_000 }],
    ['leads to another host', { redirect: 'http://127.0.0.2:1' }, { outcome: 'failed', permanent: true }],
  ])('is sent nothing when its controller %s', async (_, faults, expected) => {
    await using stage = await RedfishStage.open({ fencer: { requestTimeoutMs: 400 } });
    stage.bmc.faults = faults;
    const first = await stage.fence();
    expect(first).toMatchObject(expected);
    expect((await stage.fence()).detail).toBe(first.detail);
    expect([stage.resets, stage.permitsAsked]).toEqual([[], 0]);
    expect(stage.bmc.machine('node-1').power).toBe('On');
  });

  it('is sent nothing when its controller names no power', async () => {
    await using stage = await RedfishStage.open();
    stage.bmc.machine('node-1').faults = { noPowerState: true };
    const result = await stage.fence();
    expect(result).toMatchObject({ outcome: 'failed' });
    expect(result).not.toHaveProperty('permanent');
    expect(stage.resets).toEqual([]);
  });

  it.each<[string, BmcFaults, BmcMachineFaults, object]>([
    ['takes the request and does nothing', {}, { stuck: true }, { outcome: 'waiting' }],
    ['goes off for ever', {}, { stuck: true, reads: 'PoweringOff' }, { outcome: 'waiting' }],
    ['has a task that fails', {}, { task: 'fails' }, { outcome: 'failed' }],
    ['has a task that never ends', {}, { task: 'never-ends' }, { outcome: 'waiting' }],
    ['comes on again at once', {}, { backOnAfterMs: 100 }, { outcome: 'failed' }],
    ['may not be switched by us', { readOnly: true }, {}, { outcome: 'failed', permanent: true }],
    ['does not know the action', { on: 'resets', unavailable: {} }, {}, { outcome: 'waiting' }],
    ['never answers the reset', { on: 'resets', hang: true }, {}, { outcome: 'failed' }],
    ['breaks the connection at the reset', { on: 'resets', reset: true }, {}, { outcome: 'failed' }],
  ])('is never called fenced when it %s', async (_, faults, machineFaults, expected) => {
    await using stage = await RedfishStage.open({ fencer: { settleMs: 200, requestTimeoutMs: 300 } });
    stage.bmc.faults = faults;
    stage.bmc.machine('node-1').faults = machineFaults;
    const first = await stage.fence();
    expect(first).toMatchObject(expected);
    expect((await stage.fence()).detail).toBe(first.detail);
    expect(stage.permitsAsked).toBe(stage.resets.length);
    expect(stage.resets.length).toBe(2);
  });

  it('is believed to be off by a controller that lies, since nobody can tell', async () => {
    await using stage = await RedfishStage.open();
    stage.bmc.machine('node-1').faults = { liesOff: true };
    expect(await stage.fence()).toMatchObject({ outcome: 'fenced' });
    expect(stage.bmc.machine('node-1').power).toBe('On');
  });

  it('is refused when it becomes another one after the reset', async () => {
    await using stage = await RedfishStage.open();
    const machine = stage.bmc.machine('node-1');
    stage.permits = [
      () => {
        machine.faults = { uuid: otherUuid };
        return { outcome: 'granted', validForMs: 5_000 };
      },
    ];
    expect(await stage.fence()).toMatchObject({ outcome: 'failed', permanent: true });
  });

  it.each(['username', 'password'])('is sent nothing when there is no file with the %s', async (key) => {
    await using stage = await RedfishStage.open();
    const fencer = stage.makeFencer({ [key]: join(stage.folder, 'none') });
    expect(await fencer.fence(targetOf(), stage.context())).toEqual({
      outcome: 'failed',
      detail: `${stage.bmc.url}: ${join(stage.folder, 'none')} cannot be read: ENOENT`,
    });
    expect(stage.bmc.requests).toEqual([]);
  });
});

describe('a permit', () => {
  it('that is refused lets nothing be sent', async () => {
    await using stage = await RedfishStage.open();
    stage.permits = [{ outcome: 'refused', code: 'alive', detail: 'the node renewed its Lease' }];
    expect(await stage.fence()).toEqual({
      outcome: 'failed',
      detail: `${stage.bmc.url}: not permitted: the node renewed its Lease`,
    });
    expect(stage.resets).toEqual([]);
  });

  it.each<[string, BmcFaults, BmcMachineFaults]>([
    ['a redirect', { redirect: 'here' }, {}],
    ['a request for an ETag', {}, { needsIfMatch: true }],
  ])('is asked for anew after %s, and may be refused by then', async (_, faults, machineFaults) => {
    await using stage = await RedfishStage.open();
    stage.bmc.faults = { ...faults, on: 'resets' };
    stage.bmc.machine('node-1').faults = machineFaults;
    stage.permits = [
      { outcome: 'granted', validForMs: 5_000 },
      { outcome: 'refused', code: 'held', detail: 'paused' },
    ];
    expect(await stage.fence()).toMatchObject({ outcome: 'failed' });
    expect([stage.permitsAsked, stage.resets.length]).toEqual([2, 1]);
    expect(stage.bmc.machine('node-1').power).toBe('On');
  });

  it('that ran out before the request could leave is asked for anew', async () => {
    await using stage = await RedfishStage.open();
    stage.permits = [
      { outcome: 'granted', validForMs: 0 },
      { outcome: 'granted', validForMs: -1 },
    ];
    expect(await stage.fence()).toMatchObject({ outcome: 'fenced' });
    expect([stage.permitsAsked, stage.resets.length]).toEqual([3, 1]);
  });

  it('that always runs out lets nothing be sent', async () => {
    await using stage = await RedfishStage.open();
    stage.permits = Array.from({ length: 20 }, () => ({ outcome: 'granted', validForMs: 0 }) as const);
    expect(await stage.fence()).toMatchObject({ outcome: 'failed' });
    expect(stage.resets).toEqual([]);
  });

  it('is not asked for by a check, which sends nothing that switches', async () => {
    await using stage = await RedfishStage.open();
    await stage.check();
    expect([stage.permitsAsked, stage.resets]).toEqual([0, []]);
  });
});

describe('an answer that is called off', () => {
  it.each<[string, BmcFaults]>([
    ['while it looks', { slowMs: 100 }],
    ['while the reset is under way', { on: 'resets', slowMs: 1_000 }],
    ['while it waits', {}],
  ])('%s sends nothing more', async (_, faults) => {
    await using stage = await RedfishStage.open({
      bmc: { machines: [{ name: 'node-1', uuid, offMs: 10_000 }] },
      fencer: { offWithinMs: 5_000 },
    });
    stage.bmc.faults = faults;
    const calling = new AbortController();
    const fencing = stage.fence(targetOf(), calling.signal);
    await sleep(systemClock, 70);
    calling.abort(new Error('the term ended'));
    expect(await fencing).toEqual({ outcome: 'failed', detail: 'called off' });
    const sent = stage.bmc.requests.length;
    await sleep(systemClock, 300);
    expect(stage.bmc.requests.length).toBe(sent);
  });

  it('while a permit is looked for sends nothing, though it is granted', async () => {
    await using stage = await RedfishStage.open();
    const calling = new AbortController();
    stage.permits = [
      () => {
        calling.abort();
        return { outcome: 'granted', validForMs: 5_000 };
      },
    ];
    expect(await stage.fence(targetOf(), calling.signal)).toMatchObject({ outcome: 'failed' });
    expect(stage.resets).toEqual([]);
  });

  it('before it began sends nothing at all', async () => {
    await using stage = await RedfishStage.open();
    expect(await stage.fence(targetOf(), AbortSignal.abort())).toMatchObject({ outcome: 'failed' });
    expect(stage.bmc.requests).toEqual([]);
  });
});

describe('a redirect to another host', () => {
  it.each(['Systems', 'reset'])('is not followed, and gets no credentials: %s', async (which) => {
    const asked: string[] = [];
    const thief = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end('{}');
    });
    await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
    const { port } = thief.address() as { port: number };
    await using stage = await RedfishStage.open();
    stage.bmc.faults = { redirect: `http://127.0.0.1:${port}`, ...(which === 'reset' && { on: 'resets' }) };
    expect(await stage.fence()).toMatchObject({
      outcome: 'failed',
      permanent: true,
      detail: expect.stringContaining('to another host, which is not followed'),
    });
    expect(asked).toEqual([]);
    await new Promise((resolve) => thief.close(resolve));
  });
});

describe('a check', () => {
  it('says that the right machine answers, its power, and what our account may', async () => {
    await using stage = await RedfishStage.open();
    expect(await stage.check()).toMatchObject({
      outcome: 'ready',
      machine: 'matched',
      power: 'on',
      mayAct: 'yes',
      detail: `${stage.bmc.url}: /redfish/v1/Systems/node-1 is the machine, and could be switched off`,
    });
    stage.bmc.machine('node-1').switch('Off');
    expect(await stage.check()).toMatchObject({ outcome: 'ready', power: 'off' });
  });

  it.each<[string, BmcFaults, BmcMachineFaults, object]>([
    ['the account may only read', { readOnly: true }, {}, { machine: 'matched', power: 'on', mayAct: 'no' }],
    ['the password is refused', { unauthorized: true }, {}, { machine: 'unknown', mayAct: 'no' }],
    ['it is another machine', {}, { uuid: otherUuid }, { machine: 'mismatched', mayAct: 'unknown' }],
    ['ForceOff is not allowed', {}, { allows: ['On'] }, { machine: 'matched', power: 'on' }],
    ['no power is named', {}, { noPowerState: true }, { machine: 'matched', power: 'unknown' }],
    ['it is busy', { unavailable: {} }, {}, { machine: 'unknown', power: 'unknown' }],
  ])('is not ready when %s', async (_, faults, machineFaults, expected) => {
    await using stage = await RedfishStage.open();
    stage.bmc.faults = faults;
    stage.bmc.machine('node-1').faults = machineFaults;
    expect(await stage.check()).toMatchObject({ outcome: 'not-ready', ...expected });
  });

  it('takes what the service does not tell of accounts for unknown', async () => {
    await using stage = await RedfishStage.open({
      bmc: { users: [{ username, password, role: 'Operator' }] },
    });
    expect(await stage.check()).toMatchObject({ outcome: 'ready', mayAct: 'yes' });
  });
});

describe('taking it back', () => {
  it('switches the power on with a permit, and once it is on sends nothing', async () => {
    await using stage = await RedfishStage.open({
      bmc: { machines: [{ name: 'node-1', uuid, power: 'Off', onMs: 100 }] },
    });
    const first = await stage.unfence();
    expect(first).toMatchObject({ outcome: 'unfenced' });
    expect(stage.bmc.machine('node-1').power).toBe('On');
    expect(await stage.unfence()).toEqual(first);
    expect([stage.resets, stage.permitsAsked]).toEqual([['node-1 On'], 1]);
  });

  it('does nothing without a permit, and waits for one that stays off', async () => {
    await using stage = await RedfishStage.open({
      bmc: { machines: [{ name: 'node-1', uuid, power: 'Off' }] },
    });
    stage.permits = [{ outcome: 'refused', code: 'held', detail: 'paused' }];
    expect(await stage.unfence()).toMatchObject({ outcome: 'failed' });
    expect(stage.resets).toEqual([]);
    stage.bmc.machine('node-1').faults = { stuck: true };
    expect(await stage.unfence()).toMatchObject({ outcome: 'waiting' });
  });

  it('asks for what is allowed', async () => {
    await using stage = await RedfishStage.open({
      bmc: { machines: [{ name: 'node-1', uuid, power: 'Off' }] },
    });
    stage.bmc.machine('node-1').faults = { allows: ['ForceOn', 'ForceOff'] };
    expect(await stage.unfence()).toMatchObject({ outcome: 'unfenced' });
    expect(stage.resets).toEqual(['node-1 ForceOn']);
  });
});

describe('credentials', () => {
  it('appear in nothing that is told, whatever the controller echoes', async () => {
    const echo = createServer((request, response) => {
      const seen = JSON.stringify([request.headers, password, username]);
      const said = { UUID: seen, '@odata.id': `/${encodeURIComponent(seen)}`, PowerState: seen };
      const isList = request.url?.endsWith('/Systems') === true;
      response.end(
        JSON.stringify(
          isList ? { Members: [{ '@odata.id': `/redfish/v1/Systems/${encodeURIComponent(seen)}` }] } : said,
        ),
      );
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    const { port } = echo.address() as { port: number };
    await using stage = await RedfishStage.open();
    const header = Buffer.from(`${username}:${password}`).toString('base64');
    const told: unknown[] = [];
    for (const system of [undefined, 'node-1']) {
      const fencer = stage.makeFencer({
        address: `http://127.0.0.1:${port}`,
        ...(system !== undefined && { system }),
      });
      const without = targetOf({ machine: { systemUuid: '', machineId: '', providerId: '' } });
      told.push(await fencer.fence(targetOf(), stage.context()));
      told.push(await fencer.fence(without, stage.context()));
      told.push(await fencer.check?.(targetOf(), stage.context()));
      told.push(await fencer.unfence?.(without, stage.context()));
    }
    await new Promise((resolve) => echo.close(resolve));
    const text = JSON.stringify(told);
    for (const secret of [
      password,
      JSON.stringify(password).slice(1, -1),
      encodeURIComponent(password),
      username,
      header,
    ]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
    }
  });
});
