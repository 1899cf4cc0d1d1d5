// The bench on which the power switch is tried: the strip behind a wire that can be slow, cut, or lead nowhere.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FencerBench, type FencerScene, type FenceTarget, systemClock } from '@liberator/core';
import { startPowerStrip } from './power-strip.ts';
import { powerSwitch } from './power-switch.ts';

const slowMs = 400;

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

export const bench: FencerBench = {
  slowMs,
  arrivalMs: 100,
  graceMs: 500,
  patienceMs: 10_000,
  open: openScene,
  except: {
    'wrong-machine': 'the strip knows its outlets, not what is plugged in',
    'check-wrong-machine': 'the strip knows its outlets, not what is plugged in',
    secrets: 'the strip asks for none',
    unfence: 'whoever repairs the machine switches it on',
    'unfence-permit': 'whoever repairs the machine switches it on',
  },
};

async function openScene(): Promise<FencerScene> {
  let cuts = 0;
  const strip = await startPowerStrip(async () => void cuts++);
  const wire = await startWire(strip.url);
  return {
    target,
    secrets: [],
    fencer: () => powerSwitch({ url: wire.url, timeoutMs: 2 * slowMs }),
    harms: () => wire.harms,
    truth: () => ({ fenced: cuts > 0, changes: cuts }),
    set: (condition) => wire.set(condition),
    async [Symbol.asyncDispose]() {
      await wire.set('unreachable');
      await strip[Symbol.asyncDispose]();
    },
  };
}

interface Wire extends Pick<FencerScene, 'set'> {
  readonly url: string;
  readonly harms: { readonly what: string; readonly at: number }[];
}

async function startWire(to: string): Promise<Wire> {
  let condition: Parameters<FencerScene['set']>[0] = 'well';
  const harms: Wire['harms'] = [];
  const pass = async (
    { method = '', url = '' }: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> => {
    if (method === 'POST') harms.push({ what: `${method} ${url}`, at: systemClock.now() });
    if (condition === 'hanging') return;
    if (condition === 'refusing') return void response.writeHead(503).end();
    if (condition === 'stuck' && method === 'POST') return void response.writeHead(202).end('{}');
    const answer = await fetch(new URL(url, to), { method });
    const body = await answer.text();
    if (condition === 'slow') await sleep(slowMs);
    response.writeHead(answer.status).end(body);
  };
  const server = createServer(
    (request, response) => void pass(request, response).catch(() => response.destroy()),
  );
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  return {
    url: `http://127.0.0.1:${port}`,
    harms,
    async set(next) {
      condition = next;
      if (next === 'unreachable' && server.listening) {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      }
      if (next !== 'unreachable' && !server.listening) await listen(port);
    },
  };
}
