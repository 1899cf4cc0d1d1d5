// The example as a whole; its receiver under the suite for fencers, with our driver before it; and what it refuses.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DeviceCondition,
  type FenceHarm,
  type FencerBench,
  type FencerScene,
  type FenceTarget,
  fencerConformance,
  systemClock,
  webhookFencer,
} from '@liberator/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runProgram } from '../testing/run-program.ts';
import { type RackMachine, rack } from './machines.ts';
import { fenceWebhookReceiver, type Machines, type ReceiverOptions } from './receiver.ts';
import { signatureOf } from './signature.ts';

const secret = 'a secret of more than 16 characters';
const systemUUID = '00112233-4455-6677-8899-aabbccddeeff';
const slowMs = 400;

const target: FenceTarget = {
  name: 'node-1',
  uid: 'uid',
  deathId: 'death/1 of node-1',
  noted: {
    machine: { systemUuid: systemUUID, machineId: '', providerId: '' },
    addresses: [],
    labels: {},
    annotations: {},
  },
  howToConfirm: '',
};

describe('the example of a receiver', () => {
  it('fences once, by proof, the right machine alone', async () => {
    const { exitCode, stdout, stderr } = await runProgram('fence-webhook-receiver');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const places = [
      'it is slot-1',
      'none of our machines',
      'not permitted',
      'slot-1 on, slot-2 on',
      'proof "powered-off"',
      'slot-1 off, slot-2 on',
      'unfence',
    ].map((words) => stdout.indexOf(words));
    expect(places).not.toContain(-1);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/slot-1 on, slot-2 on$/);
  });
});

const bench: FencerBench = { open: openScene, slowMs, arrivalMs: 100, graceMs: 500, patienceMs: 10_000 };

describe('the receiver and the driver before it', () => {
  it.concurrent.each(fencerConformance(bench))('$name', ({ run }) => run());
});

async function openScene(): Promise<FencerScene> {
  const machine: RackMachine = { id: 'slot-1', systemUUID, power: 'on' };
  const inner = rack([machine], 20);
  const harms: FenceHarm[] = [];
  let changes = 0;
  let condition: DeviceCondition = 'well';
  const turn = async (what: 'powerOff' | 'powerOn', id: string, signal: AbortSignal): Promise<void> => {
    harms.push({ what, at: systemClock.now() });
    if (condition === 'stuck') await sleep(60_000, undefined, { signal });
    const before = machine.power;
    await inner[what]?.(id, signal);
    if (machine.power !== before) changes++;
  };
  const machines: Machines = {
    async find(node) {
      if (condition === 'slow') await sleep(slowMs);
      if (condition === 'hanging') await new Promise(() => {});
      if (condition === 'refusing') throw new Error('the hypervisor answers 503');
      return inner.find(node);
    },
    powerOff: (id, signal) => turn('powerOff', id, signal),
    powerOn: (id, signal) => turn('powerOn', id, signal),
  };
  const { url, file, set, close } = await listen({ machines, patienceMs: 100, longestMs: 2_000 });
  return {
    target,
    wrongTarget: {
      ...target,
      noted: { ...target.noted, machine: { ...target.noted.machine, systemUuid: 'x' } },
    },
    secrets: [secret],
    fencer: () =>
      webhookFencer({
        name: 'hook',
        url,
        secret: file,
        unfences: true,
        requestTimeoutMs: 3 * slowMs,
        pollForMs: slowMs,
        timeoutMs: 6 * slowMs,
      }),
    harms: () => harms,
    truth: () => ({ fenced: machine.power === 'off', changes }),
    async set(next) {
      condition = next;
      await set(next !== 'unreachable');
    },
    [Symbol.asyncDispose]: close,
  };
}

async function listen(options: Omit<ReceiverOptions, 'secrets'> & Partial<ReceiverOptions>) {
  const folder = mkdtempSync(join(tmpdir(), 'fence-webhook-'));
  const file = join(folder, 'secret');
  writeFileSync(file, secret);
  const server = createServer(fenceWebhookReceiver({ secrets: async () => [secret], ...options }));
  const open = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const port = await open(0);
  const set = async (up: boolean): Promise<void> => {
    if (up === server.listening) return;
    if (up) return void (await open(port));
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  const close = async (): Promise<void> => {
    await set(false);
    rmSync(folder, { recursive: true });
  };
  return { url: `http://127.0.0.1:${port}`, file, set, close };
}

describe('the receiver', () => {
  const node = {
    name: 'node-1',
    uid: 'uid',
    machine: { systemUUID, machineID: '', providerID: '' },
    addresses: [],
    labels: {},
    annotations: {},
  };
  const body = JSON.stringify({
    version: 1,
    action: 'fence',
    deathId: 'd',
    fencer: 'hook',
    permitSeconds: 4,
    node,
  });

  async function start(more: Partial<ReceiverOptions> = {}) {
    const machine: RackMachine = { id: 'slot-1', systemUUID, power: 'on' };
    const { url, close } = await listen({ machines: rack([machine], 1), ...more });
    onTestFinished(close);
    return { url, machine };
  }

  function signed(
    text: string,
    more: { readonly by?: string; readonly at?: number; readonly id?: string } = {},
  ) {
    const { by = secret, at = Date.now(), id = randomUUID() } = more;
    const timestamp = String(Math.floor(at / 1_000));
    return {
      method: 'POST',
      body: text,
      headers: {
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signatureOf(by, id, timestamp, text),
      },
    };
  }

  it.each<[string, number, () => RequestInit]>([
    ['nobody has signed', 400, () => ({ method: 'POST', body })],
    ['another secret has signed', 401, () => signed(body, { by: 'not the secret at all' })],
    ['was changed on the way', 401, () => ({ ...signed(body), body: body.replace('"d"', '"e"') })],
    ['is too old', 408, () => signed(body, { at: Date.now() - 120_000 })],
    ['is of tomorrow', 408, () => signed(body, { at: Date.now() + 86_400_000 })],
    ['is from before its start', 408, () => signed(body, { at: Date.now() - 30_000 })],
    ['is too long', 413, () => signed(' '.repeat(100_000))],
    ['is no request', 400, () => signed('{}')],
  ])('does nothing on what %s', async (_, status, request) => {
    const { url, machine } = await start();
    expect((await fetch(url, request())).status).toBe(status);
    expect(machine.power).toBe('on');
  });

  it('does nothing on the same request twice: the machine may be back by now', async () => {
    const { url, machine } = await start();
    const request = signed(body);
    expect((await fetch(url, request)).status).toBe(200);
    expect(machine.power).toBe('off');
    machine.power = 'on';
    expect((await fetch(url, request)).status).toBe(409);
    expect(machine.power).toBe('on');
  });

  it('does not begin what its permit does not cover any more', async () => {
    const machine: RackMachine = { id: 'slot-1', systemUUID, power: 'on' };
    const inner = rack([machine], 1);
    const machines: Machines = {
      ...inner,
      async find(found) {
        await sleep(100);
        return inner.find(found);
      },
    };
    const { url } = await start({ machines });
    for (const permitSeconds of [0, 0.05]) {
      const answer = await fetch(
        url,
        signed(body.replace('"permitSeconds":4', `"permitSeconds":${permitSeconds}`)),
      );
      expect(await answer.json()).toMatchObject({
        outcome: 'failed',
        detail: expect.stringContaining('permit'),
      });
    }
    const without = await fetch(url, signed(body.replace('"permitSeconds":4,', '')));
    expect(await without.json()).toMatchObject({ outcome: 'failed' });
    expect(machine.power).toBe('on');
  });

  it('takes the old secret and the new one while they change, and signs by the one that it was asked with', async () => {
    const renewed = 'the secret of the next week';
    const { url } = await start({ secrets: async () => [renewed, secret] });
    for (const by of [secret, renewed]) {
      const request = signed(body, { by });
      const answer = await fetch(url, request);
      const text = await answer.text();
      const at = answer.headers.get('webhook-timestamp') ?? '';
      const expected = signatureOf(by, request.headers['webhook-id'], at, text);
      expect(answer.headers.get('webhook-signature')).toBe(expected);
    }
  });

  it('switches once, however often it is asked while the machine takes its time', async () => {
    const machine: RackMachine = { id: 'slot-1', systemUUID, power: 'on' };
    const inner = rack([machine], 200);
    let orders = 0;
    const machines: Machines = {
      ...inner,
      powerOff(id, signal) {
        orders++;
        return inner.powerOff(id, signal);
      },
    };
    const { url } = await start({ machines, patienceMs: 10 });
    const answers = await Promise.all([1, 2, 3].map(() => fetch(url, signed(body))));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    await sleep(300);
    const location = answers[0]?.headers.get('location') ?? '';
    const { body: _, ...get } = signed('');
    expect(await (await fetch(new URL(location, url), { ...get, method: 'GET' })).json()).toMatchObject({
      outcome: 'fenced',
      proof: 'powered-off',
    });
    expect(orders).toBe(1);
  });

  it('says that it failed when the machine does not go off, and tries again when it is asked again', async () => {
    let orders = 0;
    const machines: Machines = {
      find: async () => ({ id: 'slot-1', power: 'on' }),
      powerOff: async () => {
        orders++;
        throw new Error('the relay is stuck');
      },
    };
    const { url } = await start({ machines });
    for (let times = 1; times <= 2; times++) {
      expect(await (await fetch(url, signed(body))).json()).toMatchObject({
        outcome: 'failed',
        detail: 'slot-1: the relay is stuck',
      });
      expect(orders).toBe(times);
    }
  });
});
