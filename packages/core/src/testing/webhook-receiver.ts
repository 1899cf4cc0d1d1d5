// A receiver of webhooks over real HTTP with one machine behind it, which can be made to misbehave.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceCondition, FenceHarm, FencerScene } from '../fencing/conformance/bench.ts';
import { webhookFencer } from '../fencing/drivers/webhook.ts';
import type { WebhookRequest } from '../fencing/drivers/webhook-message.ts';
import type { WebhookOptions } from '../fencing/drivers/webhook-options.ts';
import { isSignedBy, signatureHeaders, signatureOf } from '../fencing/drivers/webhook-signature.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import { systemClock } from '../time/clock.ts';

export const webhookSecret = 'a secret of more than 16 characters';
const uuid = '00112233-4455-6677-8899-aabbccddeeff';

export const webhookTarget: FenceTarget = {
  name: 'node-1',
  uid: 'uid-1',
  deathId: 'death-1',
  noted: {
    machine: { systemUuid: uuid, machineId: 'machine-1', providerId: 'cloud://1' },
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    labels: { rack: 'r1', other: 'o' },
    annotations: { slot: '7', token: 'not for others' },
  },
  node: { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', uid: 'uid-1', resourceVersion: '1' } },
  howToConfirm: '',
};

/** One request as it arrived, its signature checked. */
interface Heard {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly body: WebhookRequest | undefined;
}

/** What is answered, signed unless it says otherwise. */
interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object gets `version`, `action` and `deathId` of the request where it has none of its own. */
  readonly body?: object | string;
  readonly sign?: false | string;
}

export type Answering = (heard: Heard) => Reply | undefined | Promise<Reply | undefined>;

export interface ReceiverScene extends FencerScene {
  readonly url: string;
  readonly origin: string;
  readonly secretFile: string;
  readonly heard: readonly Heard[];
  /** Answers instead of the machine, where it returns something. */
  answering: Answering | undefined;
  readonly slowMs: number;
  fencer(more?: Partial<WebhookOptions>): ReturnType<typeof webhookFencer>;
}

export async function startReceiver(slowMs = 400): Promise<ReceiverScene> {
  const folder = mkdtempSync(join(tmpdir(), 'webhook-'));
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, `${webhookSecret}\n`);
  const heard: Heard[] = [];
  const harms: FenceHarm[] = [];
  let condition: DeviceCondition = 'well';
  let on = true;
  let changes = 0;

  const turn = (to: boolean): void => {
    if (condition === 'stuck' || condition === 'refusing' || condition === 'hanging' || on === to) return;
    on = to;
    changes++;
  };

  const ofMachine = ({ action, node }: WebhookRequest): Reply => {
    const isIt = node.machine.systemUUID === uuid;
    const power = on ? 'on' : 'off';
    if (action === 'check') {
      const machine = isIt ? 'matched' : 'mismatched';
      const outcome = isIt ? 'ready' : 'not-ready';
      return { body: { outcome, machine, power, mayAct: 'yes', detail: 'outlet 7' } };
    }
    if (!isIt) return { body: { outcome: 'failed', permanent: true, detail: 'another machine' } };
    harms.push({ what: action, at: systemClock.now() });
    turn(action === 'unfence');
    const isSo = on === (action === 'unfence');
    if (!isSo) {
      const body = { outcome: 'waiting', detail: 'outlet 7 was told', retryAfterSeconds: 0.1 };
      return { status: 202, headers: { location: `/asked/${action}` }, body };
    }
    const evidence = [{ witness: 'strip', said: 'outlet 7 off', at: new Date().toISOString() }];
    return action === 'fence'
      ? { body: { outcome: 'fenced', proof: 'powered-off', detail: 'outlet 7 is off', evidence } }
      : { body: { outcome: 'unfenced', detail: 'outlet 7 is on' } };
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const one = await hear(request);
    heard.push(one);
    const { method, headers, text, body } = one;
    const parts = {
      id: String(headers[signatureHeaders.id]),
      timestamp: String(headers[signatureHeaders.timestamp]),
      body: text,
    };
    if (!isSignedBy(webhookSecret, parts, String(headers[signatureHeaders.signature]))) {
      return void response.writeHead(401).end();
    }
    const reply: Reply =
      (await scene.answering?.(one)) ??
      (method === 'GET' || body === undefined
        ? {
            body: {
              action: 'fence',
              deathId: 'death-1',
              outcome: 'waiting',
              detail: 'outlet 7 was told',
              retryAfterSeconds: 0.1,
            },
          }
        : ofMachine(body));
    if (condition === 'hanging') return;
    if (condition === 'slow') await sleep(slowMs);
    if (condition === 'refusing') return void response.writeHead(503).end();
    const { status = 200, headers: more = {}, body: found = {}, sign = webhookSecret } = reply;
    const { action, deathId } = body ?? { action: 'fence', deathId: 'death-1' };
    const said =
      typeof found === 'string' ? found : JSON.stringify({ version: 1, action, deathId, ...found });
    const answered = { id: parts.id, timestamp: String(Math.floor(Date.now() / 1_000)), body: said };
    response
      .writeHead(status, {
        'content-type': 'application/json',
        [signatureHeaders.id]: answered.id,
        [signatureHeaders.timestamp]: answered.timestamp,
        ...(sign !== false && { [signatureHeaders.signature]: signatureOf(sign, answered) }),
        ...more,
      })
      .end(said);
  };

  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  const port = await listen(0);
  const origin = `http://127.0.0.1:${port}`;
  const url = `${origin}/liberator`;
  const scene: ReceiverScene = {
    url,
    origin,
    secretFile,
    heard,
    slowMs,
    answering: undefined,
    target: webhookTarget,
    wrongTarget: {
      ...webhookTarget,
      noted: { ...webhookTarget.noted, machine: { systemUuid: 'another', machineId: '', providerId: '' } },
    },
    secrets: [webhookSecret],
    fencer: (more = {}) =>
      webhookFencer({
        name: 'hook',
        url,
        secret: secretFile,
        unfences: true,
        requestTimeoutMs: 3 * slowMs,
        pollForMs: slowMs,
        timeoutMs: 6 * slowMs,
        ...more,
      }),
    harms: () => harms,
    truth: () => ({ fenced: !on, changes }),
    async set(next) {
      condition = next;
      if (next === 'unreachable') await close();
      else if (!server.listening) await listen(port);
    },
    async [Symbol.asyncDispose]() {
      await close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return scene;
}

async function hear(request: IncomingMessage): Promise<Heard> {
  const { method = '', url = '', headers } = request;
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return { method, url, headers, text, body: text === '' ? undefined : (JSON.parse(text) as WebhookRequest) };
}
