// An election Lease on a server that answers late, wrongly or never, as a test says.

import {
  type LeaseRecord,
  type LeaseRequestOptions,
  type LeaseSnapshot,
  type LeaseStore,
  type LeaseWriteResult,
  sameRecord,
} from '../election/lease-record.ts';
import { RequestAbortedError, RequestTimeoutError } from '../kubernetes/errors.ts';
import { leases } from '../kubernetes/resources.ts';
import { type Clock, sleep } from '../time/clock.ts';

/** What becomes of one request. Left empty, it is answered at once. */
export interface RequestFate {
  /** Until the server does it. Default 0. */
  readonly toServerMs?: number;
  /** From then until its answer arrives. Default 0. */
  readonly toClientMs?: number;
  /** `request`: the server never sees it. `answer`: it is done, and nobody hears of it. */
  readonly lost?: 'request' | 'answer';
  /** A write is refused although nobody wrote in between. */
  readonly refused?: boolean;
}

export type LeaseVerb = 'read' | 'create' | 'update';

/** In the words of RBAC. */
const verbs = { read: 'get', create: 'create', update: 'patch' } as const;

export interface LeaseClientOptions {
  /** The client's own clock, by which it loses patience. */
  readonly clock: Clock;
  readonly fate?: (verb: LeaseVerb, record: LeaseRecord | undefined) => RequestFate;
  /** False: a store that breaks its word and waits for an answer however long it takes. Default true. */
  readonly honoursLimits?: boolean;
}

/** The server. Every candidate gets a {@link LeaseStore} of its own on it. */
export class MemoryLease {
  readonly #clock: Clock;
  #current: LeaseSnapshot | undefined;
  #version = 0;
  /** Of the Lease that there is: whoever made it, or a human, put them there. */
  annotations: Readonly<Record<string, string>> = {};
  /** Every record that was ever written, in order. */
  readonly history: LeaseRecord[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get current(): LeaseSnapshot | undefined {
    return this.#current;
  }

  /** Writes without any condition, as a human does. */
  put(record: Partial<LeaseRecord>): void {
    const empty = {
      holderIdentity: '',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: '',
      renewTime: '',
    };
    this.#write({ ...(this.#current?.record ?? empty), ...record });
  }

  /** A new resourceVersion with the same record, as after a human's annotation. */
  touch(): void {
    if (this.#current !== undefined)
      this.#current = { ...this.#current, resourceVersion: this.#nextVersion() };
  }

  delete(): void {
    this.#current = undefined;
    this.annotations = {};
  }

  storeFor(options: LeaseClientOptions): LeaseStore {
    const write = (
      verb: LeaseVerb,
      record: LeaseRecord,
      limits: LeaseRequestOptions,
      allowed: () => boolean,
    ): Promise<LeaseWriteResult> => {
      const fate = options.fate?.(verb, record) ?? {};
      return this.#call(verb, options, fate, limits, () =>
        fate.refused !== true && allowed()
          ? { outcome: 'written', snapshot: this.#write(record) }
          : { outcome: 'conflict' },
      );
    };
    return {
      read: (limits) =>
        this.#call('read', options, options.fate?.('read', undefined) ?? {}, limits, () => this.#current),
      create: (record, limits, annotations) =>
        write('create', record, limits, () => {
          if (this.#current !== undefined) return false;
          this.annotations = { ...this.annotations, ...annotations };
          return true;
        }),
      update: (seen, record, limits) =>
        write('update', record, limits, () => {
          const { uid, resourceVersion } = this.#current ?? {};
          return uid === seen.uid && resourceVersion === seen.resourceVersion;
        }),
    };
  }

  /** A write that changes nothing is none. */
  #write(record: LeaseRecord): LeaseSnapshot {
    if (this.#current !== undefined && sameRecord(this.#current.record, record)) return this.#current;
    const resourceVersion = this.#nextVersion();
    this.#current = { record, uid: this.#current?.uid ?? `lease-${resourceVersion}`, resourceVersion };
    this.history.push(record);
    return this.#current;
  }

  #nextVersion(): string {
    return String(++this.#version);
  }

  /** The server goes on with a request whose client has long given up. */
  async #call<T>(
    verb: LeaseVerb,
    { clock, honoursLimits = true }: LeaseClientOptions,
    { toServerMs = 0, toClientMs = 0, lost }: RequestFate,
    { timeoutMs, signal }: LeaseRequestOptions,
    serve: () => T,
  ): Promise<T> {
    const answered = (async () => {
      if (toServerMs > 0) await sleep(this.#clock, toServerMs);
      if (lost === 'request') return await new Promise<never>(() => {});
      const answer = serve();
      if (toClientMs > 0) await sleep(this.#clock, toClientMs);
      return lost === 'answer' ? await new Promise<never>(() => {}) : answer;
    })();
    if (!honoursLimits) return answered;
    const call = { verb: verbs[verb], resource: leases } as const;
    const settled = new AbortController();
    const gaveUp = sleep(clock, timeoutMs, AbortSignal.any([signal, settled.signal])).then((): never => {
      if (signal.aborted) throw new RequestAbortedError(call, true, signal.reason);
      throw new RequestTimeoutError(call, 'total', timeoutMs, true);
    });
    gaveUp.catch(() => {});
    try {
      return await Promise.race([answered, gaveUp]);
    } finally {
      settled.abort();
    }
  }
}
