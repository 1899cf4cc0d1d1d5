// What is sent to a webhook, and what of its answers counts: over real HTTP, with receivers that are wrong in every way.
import { createHmac } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import type { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAuthority } from '../../testing/certificates.ts';
import {
  type Answering,
  type ReceiverScene,
  startReceiver,
  webhookSecret,
  webhookTarget,
} from '../../testing/webhook-receiver.ts';
import { temporaryFolder } from '../../testing/wire.ts';
import { systemClock } from '../../time/clock.ts';
import { type FenceContext, type FencePermit, refused } from '../fence-context.ts';
import { webhookFencer } from './webhook.ts';
import type { WebhookOptions } from './webhook-options.ts';

async function receiver(answering?: Answering): Promise<ReceiverScene> {
  const scene = await startReceiver();
  onTestFinished(() => scene[Symbol.asyncDispose]());
  scene.answering = answering;
  return scene;
}

function context(
  permit: () => FencePermit | Promise<FencePermit> = () => ({ outcome: 'granted', validForMs: 5_000 }),
): FenceContext {
  return { clock: systemClock, signal: new AbortController().signal, permit: async () => permit() };
}

const fenced = { outcome: 'fenced', proof: 'powered-off', detail: 'off' };

async function fencedBy(answering: Answering, more?: Partial<WebhookOptions>) {
  const scene = await receiver(answering);
  return scene.fencer(more).fence(webhookTarget, context());
}

describe('a request to a webhook', () => {
  it('says which machine, which death, and for how long it may be acted on', async () => {
    const scene = await receiver();
    await scene.fencer({ labels: ['rack', 'nobody'], annotations: ['slot'] }).fence(webhookTarget, context());
    const [request] = scene.heard;
    expect(request?.method).toBe('POST');
    expect(request?.headers['idempotency-key']).toBe('death-1');
    expect(request?.headers['content-type']).toBe('application/json');
    expect(request?.body).toEqual({
      version: 1,
      action: 'fence',
      fencer: 'hook',
      deathId: 'death-1',
      permitSeconds: 4.5,
      node: {
        name: 'node-1',
        uid: 'uid-1',
        machine: {
          systemUUID: '00112233-4455-6677-8899-aabbccddeeff',
          machineID: 'machine-1',
          providerID: 'cloud://1',
        },
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
        labels: { rack: 'r1' },
        annotations: { slot: '7' },
      },
    });
  });

  it('is signed over its id, its time and its body, as Standard Webhooks has it', async () => {
    const scene = await receiver();
    await scene.fencer().fence(webhookTarget, context());
    await scene.fencer().fence(webhookTarget, context());
    const [one, other] = scene.heard;
    const {
      'webhook-id': id,
      'webhook-timestamp': time,
      'webhook-signature': signature,
    } = one?.headers ?? {};
    expect(Math.abs(Number(time) - Date.now() / 1_000)).toBeLessThan(10);
    const expected = createHmac('sha256', webhookSecret)
      .update(`${id}.${time}.${one?.text}`)
      .digest('base64');
    expect(signature).toBe(`v1,${expected}`);
    expect(other?.headers['webhook-id']).not.toBe(id);
  });

  it('fits the test vector of that specification', async () => {
    const { signatureOf } = await import('./webhook-signature.ts');
    const parts = {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: '1614265330',
      body: '{"test": 2432232314}',
    };
    expect(signatureOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', parts)).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  it('that may harm is never sent without a permit, nor with one that ran out on the way', async () => {
    const scene = await receiver();
    const refusing = context(() => refused('alive', 'its Lease was renewed'));
    for (const act of ['fence', 'unfence'] as const) {
      expect(await scene.fencer()[act]?.(webhookTarget, refusing)).toEqual({
        outcome: 'failed',
        detail: `${scene.origin}: not permitted: its Lease was renewed`,
      });
    }
    let asked = 0;
    const over = context(() => {
      asked++;
      return { outcome: 'granted', validForMs: 0 };
    });
    expect(await scene.fencer().fence(webhookTarget, over)).toMatchObject({
      outcome: 'failed',
      detail: `${scene.origin}: no connection within the time of a permit`,
    });
    expect(asked).toBe(3);
    expect(scene.heard).toEqual([]);
  });

  it('asks anew for its permit when the connection took longer than its words may be old', async () => {
    const scene = await receiver();
    // A host that is slow to take the first connection; what it takes then goes on to the receiver.
    const front = createTcpServer({ pauseOnConnect: true });
    onTestFinished(() => void front.close());
    const authority = createAuthority('front');
    const { key, cert } = authority.issue('front');
    const secure = createTlsServer({ key, cert }, (request, response) => {
      void fetch(`${scene.origin}${request.url}`, {
        method: 'POST',
        headers: request.headers as Record<string, string>,
        body: new ReadableStream({
          async start(controller) {
            for await (const chunk of request) controller.enqueue(chunk);
            controller.close();
          },
        }),
        duplex: 'half',
      } as RequestInit).then(async (answer) => {
        response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
      });
    });
    onTestFinished(() => void secure.close());
    front.on('connection', (socket) => setTimeout(() => secure.emit('connection', socket.resume()), 700));
    const port = await listening(front);
    const ca = inFile(authority.cert);
    let asked = 0;
    const answer = await scene.fencer({ url: `https://127.0.0.1:${port}/liberator`, ca }).fence(
      webhookTarget,
      context(() => {
        asked++;
        return { outcome: 'granted', validForMs: 5_000 };
      }),
    );
    expect(answer).toMatchObject({ outcome: 'fenced' });
    expect(asked).toBe(2);
    expect(scene.heard).toHaveLength(1);
  });

  it('that only looks needs no permit, and says that nothing is to be done', async () => {
    const scene = await receiver();
    const check = await scene.fencer().check?.(webhookTarget, context());
    expect(check).toMatchObject({ outcome: 'ready', machine: 'matched', power: 'on', mayAct: 'yes' });
    expect(scene.heard[0]?.body).toMatchObject({ action: 'check' });
    expect(scene.heard[0]?.body).not.toHaveProperty('permitSeconds');
    expect(scene.heard[0]?.headers).not.toHaveProperty('idempotency-key');
  });

  it('is signed by the secret as it is now, and a 401 while it is renewed is passing', async () => {
    const scene = await receiver();
    const fencer = scene.fencer();
    const renew = (secret: string): void => {
      writeFileSync(`${scene.secretFile}.new`, secret);
      renameSync(`${scene.secretFile}.new`, scene.secretFile);
    };
    renew('another secret, of the next week');
    const refusedForGood = await fencer.fence(webhookTarget, context());
    expect(refusedForGood).toMatchObject({ outcome: 'failed', permanent: true });
    expect(refusedForGood.detail).toContain('it does not take our signature (401)');
    const renewing = await fencer.fence(webhookTarget, {
      ...context(),
      permit: async () => {
        renew(webhookSecret);
        return { outcome: 'granted', validForMs: 5_000 };
      },
    });
    expect(renewing).not.toHaveProperty('permanent');
    expect(await fencer.fence(webhookTarget, context())).toMatchObject({ outcome: 'fenced' });
  });

  it.each([
    ['', 'is empty'],
    ['short', 'holds fewer than 16 characters'],
  ])('is not sent with a secret like "%s"', async (secret, why) => {
    const scene = await receiver();
    writeFileSync(scene.secretFile, secret);
    const { detail } = await scene.fencer().fence(webhookTarget, context());
    expect(detail).toContain(why);
    expect(scene.heard).toEqual([]);
  });
});

describe('an answer of a webhook', () => {
  it('is taken as proof with its evidence, and with who gave it', async () => {
    const at = '2030-01-01T00:00:00Z';
    const evidence = [{ witness: 'strip', said: 'off', at }];
    const answer = await fencedBy(() => ({ body: { ...fenced, evidence } }));
    expect(answer).toMatchObject({
      outcome: 'fenced',
      proof: 'powered-off',
      evidence: [
        { witness: 'strip', said: 'off', at },
        { witness: expect.stringMatching(/^http:\/\/127/), said: 'fenced, powered-off' },
      ],
    });
  });

  it.each<[string, object | string, string]>([
    ['about another death', { ...fenced, deathId: 'death-0' }, 'is not about this death'],
    ['about another action', { ...fenced, action: 'check' }, 'is not about this request'],
    ['without a death', { ...fenced, deathId: null }, 'is not about this death'],
    ['of another version', { ...fenced, version: 2 }, 'names no version'],
    ['with a proof that is not configured', { ...fenced, proof: 'rebooted' }, 'does not let it give'],
    ['without a proof', { outcome: 'fenced', detail: 'off' }, 'does not let it give'],
    ['with the proof none', { ...fenced, proof: 'none' }, 'does not let it give'],
    ['with no known outcome', { outcome: 'done', detail: 'off' }, 'names no outcome'],
    ['with the outcome of an Object', { outcome: 'constructor', detail: 'off' }, 'names no outcome'],
    ['without a detail', { outcome: 'fenced', proof: 'powered-off' }, 'has no detail'],
    ['with a key too much', { ...fenced, force: true }, 'do not belong'],
    ['with a permanent proof', { ...fenced, permanent: true }, 'do not belong'],
    ['with evidence that is none', { ...fenced, evidence: [{ witness: 'x' }] }, 'has evidence'],
    ['with CSI drivers for a power proof', { ...fenced, csiDrivers: ['a'] }, 'CSI drivers'],
    ['that waits for no time', { outcome: 'waiting', detail: 'x', retryAfterSeconds: 0 }, 'is no time'],
    ['that is no JSON', '<html>', 'is no JSON'],
    ['that is a list', '[]', 'is no JSON object'],
    ['that is empty', '', 'is no JSON'],
  ])('%s is none', async (_, body, why) => {
    const answer = await fencedBy(() => ({ body }));
    expect(answer.outcome).toBe('failed');
    expect(answer.detail).toContain(why);
    expect(answer).not.toHaveProperty('permanent');
  });

  it('that is not signed by our secret, for this request, is none', async () => {
    expect(await fencedBy(() => ({ body: fenced, sign: false }))).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('is not signed'),
    });
    expect(await fencedBy(() => ({ body: fenced, sign: 'somebody else’s secret' }))).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('not signed by our secret'),
    });
    // One that was recorded earlier, with its own id.
    expect(
      await fencedBy(() => ({ body: fenced, headers: { 'webhook-id': 'an-earlier-one' } })),
    ).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('not signed by our secret'),
    });
  });

  it('may be signed by two secrets, of which one is ours', async () => {
    const { signatureOf } = await import('./webhook-signature.ts');
    const answer = await fencedBy(({ headers }) => {
      const body = JSON.stringify({ version: 1, action: 'fence', deathId: 'death-1', ...fenced });
      const parts = { id: String(headers['webhook-id']), timestamp: '1', body };
      const both = `${signatureOf('the one of next week', parts)} ${signatureOf(webhookSecret, parts)}`;
      return { body, headers: { 'webhook-timestamp': '1', 'webhook-signature': both } };
    });
    expect(answer).toMatchObject({ outcome: 'fenced' });
  });

  it('may prove what the configuration lets it prove', async () => {
    const proofs = ['isolated', 'instance-gone'] as const;
    const cut = { outcome: 'fenced', proof: 'isolated', detail: 'cut off', csiDrivers: ['ceph.example.com'] };
    expect(await fencedBy(() => ({ body: cut }), { proofs })).toMatchObject({
      outcome: 'fenced',
      proof: 'isolated',
      csiDrivers: ['ceph.example.com'],
    });
    expect(webhookFencer({ name: 'x', url: 'http://a', secret: '/s', proofs })).not.toHaveProperty('acts');
    expect(webhookFencer({ name: 'x', url: 'http://a', secret: '/s' }).acts).toBe('power');
    expect(webhookFencer({ name: 'x', url: 'http://a', secret: '/s', proofs: ['isolated'] }).acts).toBe(
      'storage',
    );
  });

  it('repeats no secret, and brings no line of its own into a log', async () => {
    const answer = await fencedBy(() => ({
      body: { outcome: 'failed', detail: `no\nGET by ${webhookSecret} \u001b[31m` },
    }));
    expect(answer.detail).toMatch(/no GET by \[redacted\] +\[31m$/);
  });

  it.each([
    [400, true],
    [403, true],
    [404, true],
    [410, true],
    [422, true],
    [408, false],
    [409, false],
    [425, false],
    [429, false],
    [500, false],
    [502, false],
    [503, false],
  ])('with the status %i is permanent: %s', async (status, permanent) => {
    const answer = await fencedBy(() => ({ status, body: fenced }));
    expect(answer).toMatchObject({ outcome: 'failed', detail: expect.stringContaining(String(status)) });
    expect('permanent' in answer).toBe(permanent);
  });

  it('that wants to be left alone is left alone, for half a minute at most', async () => {
    for (const [seconds, retryAfterMs] of [
      ['2', 2_000],
      ['86400', 30_000],
    ] as const) {
      const answer = await fencedBy(() => ({ status: 503, headers: { 'retry-after': seconds } }));
      expect(answer).toMatchObject({ outcome: 'waiting', retryAfterMs });
    }
  });

  it('that redirects is not followed, wherever to', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      const elsewhere = await receiver();
      const scene = await receiver(() => ({ status, headers: { location: elsewhere.url } }));
      expect(await scene.fencer().fence(webhookTarget, context())).toMatchObject({
        outcome: 'failed',
        permanent: true,
        detail: `${scene.origin}: it redirects (${status}), which is not followed`,
      });
      expect(elsewhere.heard).toEqual([]);
    }
  });

  it('is read up to a bound', async () => {
    const answer = await fencedBy(() => ({ body: { ...fenced, detail: 'x'.repeat(2_000_000) } }));
    expect(answer).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('bytes') });
  });
});

describe('what takes long', () => {
  const waiting = { outcome: 'waiting', detail: 'told', retryAfterSeconds: 0.1 };

  it('is asked about where the receiver says, signed, without being ordered again', async () => {
    let asked = 0;
    const scene = await receiver(({ method }) => {
      if (method === 'POST') return { status: 202, headers: { location: '/asked?id=7' }, body: waiting };
      return ++asked < 3 ? { status: 202, body: waiting } : { body: fenced };
    });
    const answer = await scene.fencer({ pollForMs: 2_000 }).fence(webhookTarget, context());
    expect(answer).toMatchObject({ outcome: 'fenced', proof: 'powered-off' });
    expect(scene.heard.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /liberator',
      'GET /asked?id=7',
      'GET /asked?id=7',
      'GET /asked?id=7',
    ]);
  });

  it('is asked about at no other host', async () => {
    const elsewhere = await receiver();
    const answer = await fencedBy(() => ({
      status: 202,
      headers: { location: `${elsewhere.origin}/asked` },
      body: waiting,
    }));
    expect(answer).toMatchObject({ outcome: 'failed', permanent: true });
    expect(elsewhere.heard).toEqual([]);
  });

  it('is given back as waiting, with the receiver’s own pause, once it was asked about for long', async () => {
    const scene = await receiver(() => ({
      status: 202,
      headers: { location: '/asked', 'retry-after': '1' },
      body: { outcome: 'waiting', detail: 'told' },
    }));
    expect(await scene.fencer().fence(webhookTarget, context())).toEqual({
      outcome: 'waiting',
      detail: `${scene.origin}: told`,
      retryAfterMs: 1_000,
    });
    expect(scene.heard).toHaveLength(1);
  });

  it('is ordered anew, with a permit, when the receiver has forgotten it', async () => {
    const scene = await receiver(({ method }) =>
      method === 'POST' ? { status: 202, headers: { location: '/asked' }, body: waiting } : { status: 404 },
    );
    const answer = await scene.fencer().fence(webhookTarget, context());
    expect(answer).toMatchObject({
      outcome: 'waiting',
      detail: `${scene.origin}: it has forgotten what it took`,
    });
  });

  it('is not fenced at once by the very answer that says it takes long', async () => {
    expect(await fencedBy(() => ({ status: 202, body: fenced }))).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('202 and "fenced"'),
    });
  });
});

describe('a webhook behind TLS', () => {
  it('is trusted by the authority in a file, and needs no signature only if that was said', async () => {
    const authority = createAuthority('hooks');
    const { key, cert } = authority.issue('hooks');
    const server = createTlsServer({ key, cert }, (request, response) => {
      request.resume();
      response.end(JSON.stringify({ version: 1, action: 'fence', deathId: 'death-1', ...fenced }));
    });
    onTestFinished(() => void server.close());
    const url = `https://127.0.0.1:${await listening(server)}/`;
    const scene = await receiver();
    const [ours, others] = [inFile(authority.cert), inFile(createAuthority('others').cert)];
    const ask = (more: Partial<WebhookOptions>) =>
      scene.fencer({ url, ...more }).fence(webhookTarget, context());
    expect(await ask({ ca: ours, answers: 'tls' })).toMatchObject({ outcome: 'fenced' });
    expect(await ask({ ca: ours })).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('is not signed'),
    });
    for (const more of [{}, { ca: others }]) {
      expect(await ask({ ...more, answers: 'tls' })).toMatchObject({
        outcome: 'failed',
        detail: expect.stringContaining('certificate'),
      });
    }
    expect(await ask({ ca: inFile('nothing') })).toMatchObject({
      detail: expect.stringContaining('no certificate'),
    });
  });
});

describe('the options of a webhook', () => {
  const options = { name: 'hook', url: 'https://fence.example.com/hook', secret: '/s/secret' };

  it.each<[string, Partial<WebhookOptions>, string]>([
    ['no URL', { url: 'fence.example.com' }, 'https:// or http://'],
    ['credentials in its URL', { url: 'https://user:word@fence.example.com/' }, 'credentials'],
    ['a host that a kubelet chooses', { url: 'https://{annotation.hook}/' }, 'expected hosts beside url'],
    [
      'a host that an address chooses',
      { url: 'https://{address.InternalIP}:8443/x' },
      'expected hosts beside url',
    ],
    [
      'a path that a kubelet chooses',
      { url: 'https://a.example.com/{annotation.slot}' },
      'another machine fenced',
    ],
    [
      'a query that a kubelet chooses',
      { url: 'https://a.example.com?id={providerID}' },
      'another machine fenced',
    ],
    ['hosts that are none', { hosts: ['*'] }, 'expected hosts'],
    [
      'an authority without TLS',
      { url: 'http://a.example.com', ca: '/ca' },
      'expected a url with https beside ca',
    ],
    [
      'answers by TLS without TLS',
      { url: 'http://a.example.com', answers: 'tls' },
      'expected a url with https',
    ],
    ['no proofs', { proofs: [] }, 'expected proofs'],
    ['the proof none', { proofs: ['none' as 'isolated'] }, 'expected proofs'],
    ['no time', { timeoutMs: 0 }, 'expected timeoutMs'],
    ['a template that is none', { secret: '/s/{nobody}' }, 'expected secret'],
  ])('may not have %s', (_, more, why) => {
    expect(() => webhookFencer({ ...options, ...more })).toThrow(why);
  });

  it('let a node choose among the hosts that may be meant, and no other', async () => {
    const scene = await receiver();
    const port = new URL(scene.url).port;
    const url = `http://{address.InternalIP}:${port}/liberator`;
    expect(await scene.fencer({ url, hosts: ['127.0.0.0/8'] }).fence(webhookTarget, context())).toMatchObject(
      {
        outcome: 'fenced',
      },
    );
    expect(await scene.fencer({ url, hosts: ['10.0.0.0/8'] }).fence(webhookTarget, context())).toMatchObject({
      outcome: 'failed',
      permanent: true,
    });
    expect(scene.heard).toHaveLength(1);
  });

  it('may name the Node in the path', async () => {
    const scene = await receiver();
    await scene
      .fencer({ url: `${scene.origin}/machines/{name}/off?uid={uid}` })
      .fence(webhookTarget, context());
    expect(scene.heard[0]?.url).toBe('/machines/node-1/off?uid=uid-1');
  });
});

function inFile(text: string): string {
  const file = `${temporaryFolder()}/file`;
  writeFileSync(file, text);
  return file;
}

function listening(
  server: ReturnType<typeof createServer> | ReturnType<typeof createTcpServer>,
): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
