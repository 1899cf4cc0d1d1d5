// `npm run example:fence-webhook-receiver`: the receiver and the fencer that asks it, over real HTTP, with a rack in memory.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FenceContext, type FenceTarget, systemClock, webhookFencer } from '@liberator/core';
import { type RackMachine, rack } from './machines.ts';
import { fenceWebhookReceiver } from './receiver.ts';

const systemUUID = '00112233-4455-6677-8899-aabbccddeeff';
const machines: readonly RackMachine[] = [
  { id: 'slot-1', systemUUID, power: 'on' },
  { id: 'slot-2', systemUUID: '4c4c4544-0035-5810-8052-b4c04f4a4d31', power: 'on' },
];

const target: FenceTarget = {
  name: 'node-1',
  uid: 'uid-1',
  deathId: 'uid-1_0',
  noted: {
    machine: { systemUuid: systemUUID, machineId: '', providerId: '' },
    addresses: [],
    labels: {},
    annotations: {},
  },
  howToConfirm: '',
};

const context = (isAlive = false): FenceContext => ({
  clock: systemClock,
  signal: new AbortController().signal,
  // In the agent: a live look at the node and at every brake.
  permit: async () =>
    isAlive
      ? { outcome: 'refused', code: 'alive', detail: 'its Lease was renewed' }
      : { outcome: 'granted', validForMs: 5_000 },
});

function tell(who: string, words: string): void {
  console.log(`${who.padEnd(10)} ${words}`);
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fence-webhook-'));
  const secretFile = join(folder, 'secret');
  await writeFile(secretFile, randomBytes(32).toString('hex'));
  const server = createServer(
    fenceWebhookReceiver({
      // Read at each request, so that a Secret can be renewed: the old one and the new one beside each other for a while.
      secrets: async () => [(await readFile(secretFile, 'utf8')).trim()],
      machines: rack(machines, 1_500),
      patienceMs: 200,
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hook = webhookFencer({ name: 'hook', url, secret: secretFile, unfences: true });
  const power = (): string => machines.map(({ id, power }) => `${id} ${power}`).join(', ');
  try {
    tell('check', (await hook.check?.(target, context()))?.detail ?? '');
    tell('rack', power());
    const stranger = {
      ...target,
      noted: { ...target.noted, machine: { ...target.noted.machine, systemUuid: '' } },
    };
    tell('stranger', (await hook.fence(stranger, context())).detail);
    tell('alive', (await hook.fence(target, context(true))).detail);
    tell('rack', power());
    for (let times = 1; times <= 2; times++) {
      let answer = await hook.fence(target, context());
      while (answer.outcome === 'waiting') {
        tell('fence', answer.detail);
        await sleep(answer.retryAfterMs);
        answer = await hook.fence(target, context());
      }
      tell('fence', `${answer.outcome === 'fenced' ? `proof "${answer.proof}", ` : ''}${answer.detail}`);
    }
    tell('rack', power());
    tell('unfence', (await hook.unfence?.(target, context()))?.detail ?? '');
    tell('rack', power());
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  }
}

await main();
