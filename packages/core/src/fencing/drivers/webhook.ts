// The fencer that asks a program of the operator's own, over HTTP: for clouds and hypervisors that have no driver here.
import { type Clock, sleep } from '../../time/clock.ts';
import { deviceAddress } from '../device-address.ts';
import type { FenceCheck, FenceCheckContext } from '../fence-check.ts';
import type { FenceContext } from '../fence-context.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { FenceResult, Fencer, UnfenceResult } from '../fencer.ts';
import type { AcceptableProof, FenceEvidence } from '../proof.ts';
import { Secrets } from '../secrets.ts';
import { fillIn, TemplateError } from '../template.ts';
import { Trouble } from './device-trouble.ts';
import { type WebhookAnswer, WebhookDoor } from './webhook-door.ts';
import {
  checkOf,
  fenceResultOf,
  readAnswer,
  requestFor,
  type Said,
  unfenceResultOf,
  type WebhookAction,
} from './webhook-message.ts';
import { checkWebhookOptions, partsOfUrl, type WebhookOptions } from './webhook-options.ts';

const askAgainMs = 1_000;
const shortestPauseMs = 100;
/** However long a receiver wants to be left alone: a rung has no more time than that. */
const longestPauseMs = 30_000;
/** What is left of the fencer's time for the answer itself, and at most a tenth of it. */
const lastWordsMs = 1_000;
/** How old the words "you may act for so long" may be when they leave. */
const permitLeavesWithinMs = 500;
const mostAttempts = 3;

/**
 * Asks a webhook to fence a machine, and takes its word for it: what it may prove is for the operator to say.
 *
 * - Each request is signed, and so is each answer: see {@link WebhookOptions.answers}. An answer repeats the `deathId`, or it is none.
 * - The permit is asked for right before each `POST` that may harm, and what is left of it is sent along as `permitSeconds`. A
 *   receiver may take the same request again at any time, and has to act once: `Idempotency-Key` is the `deathId`.
 * - What takes long is answered by 202. With a `Location` it is asked there how far it is, on the same origin only; without
 *   one it is asked anew. Redirects are not followed.
 * - A status of 4xx is a failure for good, but for 408, 409, 423, 425 and 429; 5xx is a passing one.
 *
 * It can't tell a receiver that is wrong from one that is right.
 *
 * @throws TypeError for options that contradict one another: see {@link WebhookOptions}.
 */
export function webhookFencer(options: WebhookOptions): Fencer {
  checkWebhookOptions(options);
  const secrets = new Secrets();
  const { device, proofs = ['powered-off'], timeoutMs = 60_000 } = options;
  const asking = (target: FenceTarget, context: FenceCheckContext): Asking =>
    new Asking({ ...options, proofs, timeoutMs }, secrets, target, context);
  return {
    name: options.name,
    ...actsOn(proofs),
    proofs,
    timeoutMs,
    ...(device !== undefined && { device }),
    fence: (target, context) => asking(target, context).fence(context),
    check: (target, context) => asking(target, context).check(),
    ...(options.unfences === true && {
      unfence: (target: FenceTarget, context: FenceContext) => asking(target, context).unfence(context),
    }),
  };
}

const ofPower: readonly AcceptableProof[] = ['powered-off', 'rebooted', 'instance-gone'];

/** Nobody knows of a receiver that may prove now one and now the other. */
function actsOn(proofs: readonly AcceptableProof[]): Pick<Fencer, 'acts'> {
  if (proofs.every((proof) => ofPower.includes(proof))) return { acts: 'power' };
  return proofs.every((proof) => proof === 'isolated') ? { acts: 'storage' } : {};
}

/** Not allowed to act; the message says why. */
class NotPermitted extends Error {
  override readonly name = 'NotPermitted';
}

/** The permit was too old when the connection stood. */
class TooLate extends Error {
  override readonly name = 'TooLate';
}

type Options = WebhookOptions & Required<Pick<WebhookOptions, 'proofs' | 'timeoutMs'>>;

/** One answer of the fencer, from its first request to its last. */
class Asking {
  readonly #options: Options;
  readonly #secrets: Secrets;
  readonly #target: FenceTarget;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #until: number;
  #origin = '';

  constructor(options: Options, secrets: Secrets, target: FenceTarget, context: FenceCheckContext) {
    const { timeoutMs } = options;
    this.#options = options;
    this.#secrets = secrets;
    this.#target = target;
    this.#clock = context.clock;
    this.#signal = context.signal;
    this.#until = context.clock.now() + timeoutMs - Math.min(lastWordsMs, timeoutMs / 10);
  }

  async fence(context: FenceContext): Promise<FenceResult> {
    const { proofs } = this.#options;
    try {
      const said = await this.#act<FenceResult>('fence', context, (answer) => fenceResultOf(answer, proofs));
      if (said.outcome !== 'fenced') return said;
      const at = new Date(this.#clock.wallTime()).toISOString();
      const own = { witness: this.#origin, said: `fenced, ${said.proof}`, at };
      // The receiver's own come first, and the last ten count.
      const theirs = this.#redacted(said.evidence).slice(-9);
      return { ...said, evidence: [...theirs, own] };
    } catch (error) {
      return this.#failureOf(error);
    }
  }

  async unfence(context: FenceContext): Promise<UnfenceResult> {
    try {
      return await this.#act<UnfenceResult>('unfence', context, unfenceResultOf);
    } catch (error) {
      return this.#failureOf(error);
    }
  }

  async check(): Promise<FenceCheck> {
    try {
      const [door, path] = await this.#open();
      await using _ = door;
      const { body } = await door.post(path, this.#bodyFor('check'));
      const found = checkOf(this.#read(body, 'check'));
      return { ...found, detail: this.#say(found.detail), evidence: this.#redacted(found.evidence) };
    } catch (error) {
      const { detail } = this.#failureOf(error);
      const mayAct = error instanceof Trouble && error.kind === 'access' ? 'no' : 'unknown';
      return { outcome: 'not-ready', machine: 'unknown', power: 'unknown', mayAct, detail };
    }
  }

  async #act<T extends { readonly outcome: string; readonly detail: string }>(
    action: 'fence' | 'unfence',
    context: FenceContext,
    read: (answer: ReturnType<typeof readAnswer>) => Said<T>,
  ): Promise<T | Waiting> {
    const [door, path] = await this.#open();
    await using _ = door;
    const understand = ({ body, accepted }: WebhookAnswer): Said<T> => {
      const said = read(this.#read(body, action));
      if (accepted && said.outcome !== 'waiting')
        throw new Trouble(`it answers 202 and "${said.outcome}" at once`);
      return said;
    };
    const pollUntil = Math.min(this.#until, this.#clock.now() + (this.#options.pollForMs ?? 20_000));
    let answer = await this.#post(door, path, action, context);
    let location = answer.location;
    for (;;) {
      const said = understand(answer);
      if (said.outcome !== 'waiting') return { ...(said as T), detail: this.#say(said.detail) };
      const asked = 'retryAfterMs' in said ? said.retryAfterMs : undefined;
      const pauseMs = pause(asked ?? answer.retryAfterMs);
      if (location === undefined || this.#clock.now() + pauseMs >= pollUntil) {
        return { outcome: 'waiting', detail: this.#say(said.detail), retryAfterMs: pauseMs };
      }
      await sleep(this.#clock, pauseMs, this.#signal);
      this.#signal.throwIfAborted();
      const next = await progressAt(door, location);
      // A receiver that was started anew: it is asked anew, with a permit.
      if (next === undefined) {
        return {
          outcome: 'waiting',
          detail: this.#say('it has forgotten what it took'),
          retryAfterMs: shortestPauseMs,
        };
      }
      answer = next;
      location = answer.location ?? location;
    }
  }

  /** Asks for a permit, and again if making the connection took so long that its words would be old. */
  async #post(
    door: WebhookDoor,
    path: string,
    action: 'fence' | 'unfence',
    { permit }: FenceContext,
  ): Promise<WebhookAnswer> {
    const { deathId } = this.#target;
    for (let attempt = 1; attempt <= mostAttempts; attempt++) {
      const permitted = await permit();
      if (permitted.outcome === 'refused') throw new NotPermitted(permitted.detail);
      this.#signal.throwIfAborted();
      const grantedAt = this.#clock.now();
      const leavesBy = grantedAt + Math.min(permitLeavesWithinMs, permitted.validForMs);
      // What making the connection may take is taken off: the receiver counts from when it has heard.
      const permitMs = permitted.validForMs - Math.min(permitLeavesWithinMs, permitted.validForMs / 2);
      const beforeSend = (): void => {
        this.#signal.throwIfAborted();
        if (this.#clock.now() >= leavesBy) throw new TooLate();
      };
      const idempotencyKey = action === 'fence' ? deathId : `${deathId}.${action}`;
      try {
        return await door.post(path, this.#bodyFor(action, permitMs), { idempotencyKey, beforeSend });
      } catch (error) {
        if (!(error instanceof TooLate)) throw error;
      }
    }
    throw new Trouble('no connection within the time of a permit');
  }

  #read(body: Buffer, action: WebhookAction): ReturnType<typeof readAnswer> {
    return readAnswer(body, action, this.#target.deathId, (text) => this.#secrets.redact(text));
  }

  #bodyFor(action: WebhookAction, permitMs?: number): string {
    const { name: fencer, labels = [], annotations = [] } = this.#options;
    return JSON.stringify(requestFor(action, this.#target, { fencer, labels, annotations, permitMs }));
  }

  async #open(): Promise<readonly [WebhookDoor, string]> {
    const { url, hosts, secret, ca, answers = 'signed', requestTimeoutMs = 15_000 } = this.#options;
    const parts = partsOfUrl(url);
    const { origin } = deviceAddress(parts.address, this.#target, hosts);
    this.#origin = origin;
    const fill = (template: string): string => fillIn(template, this.#target, 'segment');
    const door = await WebhookDoor.open({
      origin,
      secret: fill(secret),
      ca: ca === undefined ? undefined : fill(ca),
      answers,
      secrets: this.#secrets,
      clock: this.#clock,
      signal: this.#signal,
      requestTimeoutMs,
      until: this.#until,
    });
    return [door, fill(parts.path)];
  }

  #redacted(evidence: readonly FenceEvidence[] = []): readonly FenceEvidence[] {
    const redact = (words: string): string => this.#secrets.redact(words);
    return evidence.map(({ witness, said, at }) => ({ witness: redact(witness), said: redact(said), at }));
  }

  #failureOf(error: unknown): Failed | Waiting {
    if (this.#signal.aborted) return { outcome: 'failed', detail: 'called off' };
    if (error instanceof NotPermitted) return this.#fail(`not permitted: ${error.message}`, false);
    if (error instanceof TemplateError) return this.#fail(error.message, true);
    if (!(error instanceof Trouble)) {
      return this.#fail(`a bug: ${error instanceof Error ? error.message : 'something was thrown'}`, false);
    }
    if (error.retryAfterMs !== undefined) {
      return {
        outcome: 'waiting',
        detail: this.#say(error.message),
        retryAfterMs: pause(error.retryAfterMs),
      };
    }
    return this.#fail(error.message, error.permanent);
  }

  #fail(words: string, permanent: boolean): Failed {
    return { outcome: 'failed', detail: this.#say(words), ...(permanent && { permanent: true }) };
  }

  #say(words: string): string {
    return this.#secrets.redact(this.#origin === '' ? words : `${this.#origin}: ${words}`);
  }
}

/** Undefined when the receiver knows nothing of it any more. */
async function progressAt(door: WebhookDoor, location: string): Promise<WebhookAnswer | undefined> {
  try {
    return await door.get(location);
  } catch (error) {
    if (error instanceof Trouble && (error.status === 404 || error.status === 410)) return undefined;
    throw error;
  }
}

type Waiting = { readonly outcome: 'waiting'; readonly detail: string; readonly retryAfterMs: number };
type Failed = { readonly outcome: 'failed'; readonly detail: string; readonly permanent?: true };

function pause(askedMs: number | undefined): number {
  return Math.min(longestPauseMs, Math.max(shortestPauseMs, askedMs ?? askAgainMs));
}
