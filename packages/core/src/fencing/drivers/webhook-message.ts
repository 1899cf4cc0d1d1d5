// What is asked of a webhook and what it may answer: version 1 of the two bodies. Pure.
import { checkedAnswer } from '../answer.ts';
import type { FenceCheck } from '../fence-check.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { FenceResult, UnfenceResult } from '../fencer.ts';
import type { AcceptableProof, FenceEvidence } from '../proof.ts';
import { Trouble } from './device-trouble.ts';

export type WebhookAction = 'fence' | 'check' | 'unfence';

/** What the receiver gets, as JSON. */
export interface WebhookRequest {
  readonly version: 1;
  readonly action: WebhookAction;
  /** The fencer's name in the configuration. */
  readonly fencer: string;
  /** Names this very death of this very node: the same each time it is asked about, and repeated by the answer. */
  readonly deathId: string;
  /**
   * For so many seconds after it has arrived the request may be acted on. What has not begun by then must not begin: the node may be
   * alive again. Absent with `check`, on which nothing is done at all.
   */
  readonly permitSeconds?: number;
  readonly node: {
    readonly name: string;
    readonly uid: string;
    /** As its kubelet reported it; empty strings where it said nothing. */
    readonly machine: {
      readonly systemUUID: string;
      readonly machineID: string;
      readonly providerID: string;
    };
    readonly addresses: readonly { readonly type: string; readonly address: string }[];
    /** Those that the configuration names. */
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
}

export function requestFor(
  action: WebhookAction,
  target: FenceTarget,
  {
    fencer,
    labels,
    annotations,
    permitMs,
  }: {
    readonly fencer: string;
    readonly labels: readonly string[];
    readonly annotations: readonly string[];
    readonly permitMs: number | undefined;
  },
): WebhookRequest {
  const { name, uid, deathId, noted } = target;
  const { systemUuid, machineId, providerId } = noted.machine;
  return {
    version: 1,
    action,
    fencer,
    deathId,
    // Rounded down: what is sent along must not outlast what was granted.
    ...(permitMs !== undefined && { permitSeconds: Math.floor(permitMs) / 1_000 }),
    node: {
      name,
      uid,
      machine: { systemUUID: systemUuid, machineID: machineId, providerID: providerId },
      addresses: noted.addresses.map(({ type, address }) => ({ type, address })),
      labels: pick(noted.labels, labels),
      annotations: pick(noted.annotations, annotations),
    },
  };
}

/** The answer to one action, or that it takes its time. */
export type Said<T> =
  | T
  | { readonly outcome: 'waiting'; readonly detail: string; readonly retryAfterMs?: number };

/**
 * What a receiver answered. Every key is known and has its kind of value, or the whole answer is none: half of one is what a
 * program says that was meant for something else.
 *
 * @throws {@link Trouble} otherwise.
 */
export function readAnswer(
  body: Buffer,
  action: WebhookAction,
  deathId: string,
  redact: (text: string) => string,
): Readonly<Record<string, unknown>> & { readonly outcome: string; readonly detail: string } {
  const answer = objectIn(body, redact);
  const { version, outcome, detail } = answer;
  if (version !== 1) throw unusable('names no version that is known');
  if (answer['deathId'] !== deathId || answer['action'] !== action) {
    throw unusable(`is not about this ${answer['action'] === action ? 'death' : 'request'}`);
  }
  const keys =
    (typeof outcome === 'string' && Object.hasOwn(keysOf[action], outcome) && keysOf[action][outcome]) ||
    undefined;
  if (keys === undefined) throw unusable(`names no outcome of a ${action}`);
  if (typeof detail !== 'string' || detail.trim() === '') throw unusable('has no detail');
  const stranger = Object.keys(answer).find((key) => !always.includes(key) && !keys.includes(key));
  if (stranger !== undefined) throw unusable('has keys that do not belong to it');
  return { ...answer, outcome: String(outcome), detail: oneLine(detail) };
}

const always: readonly string[] = ['version', 'action', 'deathId', 'outcome', 'detail'];
const waits = { waiting: ['retryAfterSeconds'], failed: ['permanent'] } as const;
const looks = ['machine', 'power', 'mayAct', 'evidence'] as const;
const keysOf: Readonly<Record<WebhookAction, Readonly<Record<string, readonly string[]>>>> = {
  fence: { fenced: ['proof', 'evidence', 'csiDrivers'], ...waits },
  unfence: { unfenced: [], ...waits },
  check: { ready: looks, 'not-ready': looks },
};

type Answer = ReturnType<typeof readAnswer>;

/** @throws {@link Trouble} for a proof that the configuration does not let it give. */
export function fenceResultOf(answer: Answer, proofs: readonly AcceptableProof[]): Said<FenceResult> {
  if (answer.outcome !== 'fenced') return pendingOf(answer);
  const { outcome, detail } = answer;
  const proof = proofs.find((one) => one === answer['proof']);
  if (proof === undefined) throw unusable('gives a proof that the configuration does not let it give');
  const evidence = evidenceOf(answer['evidence']);
  const { csiDrivers } = answer;
  const checked = checkedAnswer({
    outcome,
    proof,
    detail,
    evidence,
    ...(csiDrivers !== undefined && { csiDrivers }),
  });
  if (checked.outcome !== 'fenced') throw unusable('names CSI drivers in a way that is none');
  return checked;
}

export function unfenceResultOf(answer: Answer): Said<UnfenceResult> {
  const { outcome, detail } = answer;
  return outcome === 'unfenced' ? { outcome, detail } : pendingOf(answer);
}

export function checkOf(answer: Answer): FenceCheck {
  const { outcome, detail } = answer;
  const evidence = evidenceOf(answer['evidence']);
  const machine = wordOf(answer, 'machine', ['matched', 'chosen', 'mismatched', 'unknown']);
  const power = wordOf(answer, 'power', ['on', 'off', 'unknown']);
  const mayAct = wordOf(answer, 'mayAct', ['yes', 'no', 'unknown']);
  const isReady = outcome === 'ready';
  if (isReady && (machine === 'mismatched' || machine === 'unknown' || mayAct === 'no')) {
    throw unusable('is "ready" for what it says it can not do');
  }
  return { outcome: isReady ? 'ready' : 'not-ready', machine, power, mayAct, detail, evidence };
}

function pendingOf({
  outcome,
  detail,
  ...more
}: Answer): Said<{ outcome: 'failed'; detail: string; permanent?: true }> {
  const { permanent, retryAfterSeconds } = more as Readonly<Record<string, unknown>>;
  if (outcome === 'waiting') {
    if (retryAfterSeconds === undefined) return { outcome, detail };
    if (
      typeof retryAfterSeconds !== 'number' ||
      !(retryAfterSeconds > 0) ||
      !Number.isFinite(retryAfterSeconds)
    ) {
      throw unusable('has a "retryAfterSeconds" that is no time');
    }
    return { outcome, detail, retryAfterMs: retryAfterSeconds * 1_000 };
  }
  if (permanent !== undefined && typeof permanent !== 'boolean')
    throw unusable('has a "permanent" that is neither true nor false');
  return { outcome: 'failed', detail, ...(permanent === true && { permanent }) };
}

/** One without a time of its own, since that is when we heard it: `at` is the receiver's. */
function evidenceOf(found: unknown): readonly FenceEvidence[] {
  if (found === undefined) return [];
  if (!Array.isArray(found) || found.length > 10) throw unusable('has evidence that is no list of up to ten');
  return found.map((one: unknown) => {
    const { witness, said, at, ...rest } = Object(one) as Readonly<Record<string, unknown>>;
    const isTime = typeof at === 'string' && /^\d{4}-\d\d-\d\dT/.test(at) && !Number.isNaN(Date.parse(at));
    if (typeof witness !== 'string' || typeof said !== 'string' || !isTime || Object.keys(rest).length > 0) {
      throw unusable('has evidence without witness, said and at');
    }
    return { witness: oneLine(witness).slice(0, 256), said: oneLine(said).slice(0, 256), at };
  });
}

function wordOf<T extends string>(answer: Answer, key: string, words: readonly T[]): T {
  const found = words.find((word) => word === answer[key]);
  if (found === undefined) throw unusable(`has a "${key}" that is none of ${words.join(', ')}`);
  return found;
}

/** Redacted as a whole: of what is cut off later, half a secret would stay. */
function objectIn(body: Buffer, redact: (text: string) => string): Readonly<Record<string, unknown>> {
  let found: unknown;
  try {
    found = JSON.parse(redact(new TextDecoder('utf-8', { fatal: true }).decode(body)));
  } catch {
    throw unusable('is no JSON');
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found))
    throw unusable('is no JSON object');
  return found as Readonly<Record<string, unknown>>;
}

/** Words of others go into Events, logs and terminals. */
function oneLine(words: string): string {
  return words
    .replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, 1_000);
}

function unusable(what: string): Trouble {
  return new Trouble(`its answer ${what}`);
}

function pick(
  from: Readonly<Record<string, string>>,
  keys: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));
}
