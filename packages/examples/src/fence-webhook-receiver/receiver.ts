// The other end of the webhook fencer, to be copied: it needs Node.js and nothing else. What is yours to write is in machines.ts.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type DeathBook, type Progress, startDeathBook } from './death-book.ts';
import { startVerifier, type Verified } from './signature.ts';

/** What is known of the node, as its kubelet reported it. */
interface NodeOfRequest {
  readonly name: string;
  readonly uid: string;
  readonly machine: { readonly systemUUID: string; readonly machineID: string; readonly providerID: string };
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One machine as you know it. */
interface MachineFound {
  readonly id: string;
  readonly power: 'on' | 'off' | 'unknown';
}

/** Your machines. */
export interface Machines {
  /**
   * The one machine that the node runs on, by what can't be mistaken, such as its system UUID, and its power now. Undefined when it is
   * none or when there is any doubt: nothing is done then. Changes nothing.
   */
  find(node: NodeOfRequest): Promise<MachineFound | undefined>;
  /**
   * Resolves once the machine is off for certain, and no sooner: an order that was taken proves nothing. Rejects when it is not.
   * `signal` aborts when it has taken too long.
   */
  powerOff(id: string, signal: AbortSignal): Promise<void>;
  /** Only where policies say `afterwards: power-on`. Resolves once it is on. */
  powerOn?(id: string, signal: AbortSignal): Promise<void>;
}

export interface ReceiverOptions {
  /** The secret, and while it is renewed the old one and the new one. Asked at each request. */
  readonly secrets: () => Promise<readonly string[]>;
  readonly machines: Machines;
  /** How old a request may be, and how far the two clocks apart, in milliseconds. Default 60,000. */
  readonly maxAgeMs?: number;
  /** How long a machine may take to go off or on, in milliseconds. Default 120,000. */
  readonly longestMs?: number;
  /** How long an answer waits for that before it says 202, in milliseconds. Default 1,000. */
  readonly patienceMs?: number;
}

type Action = 'fence' | 'check' | 'unfence';

interface Asked {
  readonly action: Action;
  readonly deathId: string;
  readonly permitSeconds: number;
  readonly node: NodeOfRequest;
}

/** A listener for `http.createServer` or, better, `https.createServer`. */
export function fenceWebhookReceiver(
  options: ReceiverOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { secrets, maxAgeMs = 60_000, longestMs = 120_000, patienceMs = 1_000 } = options;
  const verify = startVerifier(secrets, maxAgeMs);
  const deaths = startDeathBook(longestMs);
  return (request, response) => {
    // From now on the permit runs out: this is the clock that counts, and no other.
    const arrivedAt = performance.now();
    const answer = async (): Promise<void> => {
      const verified = await verify(request);
      if (verified.outcome === 'refused') {
        return void response.writeHead(verified.status).end(verified.why);
      }
      const { status, headers, body } = await answerTo(request, response, verified, {
        machines: options.machines,
        deaths,
        arrivedAt,
        patienceMs,
      });
      const text = JSON.stringify({ version: 1, ...body });
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers, ...verified.sign(text) })
        .end(text);
    };
    answer().catch(() => response.headersSent || response.writeHead(500).end());
  };
}

interface Surroundings {
  readonly machines: Machines;
  readonly deaths: DeathBook;
  readonly arrivedAt: number;
  readonly patienceMs: number;
}

interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
}

async function answerTo(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  { body }: Verified,
  around: Surroundings,
): Promise<Reply> {
  if (method === 'GET') {
    const [, action = '', deathId = ''] = /^\/deaths\/(fence|unfence)\/([^/?]+)$/.exec(url) ?? [];
    const work = around.deaths.get(`${action} ${decodeURIComponent(deathId)}`);
    if (work === undefined) return { status: 404, body: {} };
    return replyOf(action as Action, decodeURIComponent(deathId), work());
  }
  const asked = readAsked(body);
  if (asked === undefined) return { status: 400, body: {} };
  const { action, deathId, node, permitSeconds } = asked;
  const reply = (words: object): Reply => ({ status: 200, body: { action, deathId, ...words } });

  let found: MachineFound | undefined;
  try {
    found = await around.machines.find(node);
  } catch (error) {
    const detail = `the machines can not be asked: ${messageOf(error)}`;
    return action === 'check'
      ? reply({ outcome: 'not-ready', machine: 'unknown', power: 'unknown', mayAct: 'unknown', detail })
      : reply({ outcome: 'failed', detail });
  }
  if (found === undefined) {
    const detail = 'none of our machines is that one for certain';
    return action === 'check'
      ? reply({ outcome: 'not-ready', machine: 'mismatched', power: 'unknown', mayAct: 'unknown', detail })
      : reply({ outcome: 'failed', permanent: true, detail });
  }
  const { id, power } = found;
  if (action === 'check') {
    return reply({ outcome: 'ready', machine: 'matched', power, mayAct: 'unknown', detail: `it is ${id}` });
  }
  const wanted = action === 'fence' ? 'off' : 'on';
  if (power === wanted) return replyOf(action, deathId, { state: 'done', id });
  const { powerOff, powerOn } = around.machines;
  const act = action === 'fence' ? powerOff : powerOn;
  if (act === undefined) return reply({ outcome: 'failed', permanent: true, detail: 'we never switch on' });

  const key = `${action} ${deathId}`;
  if (around.deaths.get(key)?.().state !== 'working') {
    // Right before the harm: whoever asked may have given up, and the node may be back.
    if (response.destroyed) return reply({ outcome: 'failed', detail: 'nobody waits for it any more' });
    if (performance.now() >= around.arrivedAt + permitSeconds * 1_000) {
      return reply({ outcome: 'failed', detail: 'the permit was over before it could begin' });
    }
    await around.deaths.begin(key, id, (signal) => act.call(around.machines, id, signal), around.patienceMs);
  }
  return replyOf(action, deathId, around.deaths.get(key)?.() ?? { state: 'failed', id, why: 'forgotten' });
}

/** In words that are the same each time: figures belong into the evidence. */
function replyOf(action: Action, deathId: string, progress: Progress): Reply {
  const { id, state } = progress;
  const reply = (words: object): Reply => ({ status: 200, body: { action, deathId, ...words } });
  const off = action === 'fence';
  if (state === 'working') {
    const headers = { location: `/deaths/${action}/${encodeURIComponent(deathId)}`, 'retry-after': '1' };
    const detail = `${id} was told to go ${off ? 'off' : 'on'}`;
    return { status: 202, headers, body: { action, deathId, outcome: 'waiting', detail } };
  }
  if (state === 'failed') return reply({ outcome: 'failed', detail: `${id}: ${progress.why}` });
  if (!off) return reply({ outcome: 'unfenced', detail: `${id} is on` });
  const evidence = [{ witness: id, said: 'power off', at: new Date().toISOString() }];
  return reply({ outcome: 'fenced', proof: 'powered-off', detail: `${id} is off`, evidence });
}

function readAsked(body: string): Asked | undefined {
  try {
    const { version, action, deathId, node, permitSeconds = 0 } = JSON.parse(body);
    const isOne =
      version === 1 &&
      ['fence', 'check', 'unfence'].includes(action) &&
      typeof deathId === 'string' &&
      deathId !== '' &&
      typeof node?.machine?.systemUUID === 'string' &&
      typeof permitSeconds === 'number';
    return isOne ? { action, deathId, node, permitSeconds } : undefined;
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
