// An API server that keeps Leases, and the network between it and everybody: slow, cut, and now and then without an answer.
import {
  type Clock,
  type GuardClaim,
  type GuardLeaseSnapshot,
  type GuardLeaseStore,
  guardLeaseName,
  guardOffAnnotation,
  type Lease,
  type ReadLease,
} from '@liberator/core';
import { claimAnnotations } from '../../../packages/core/src/fencing/watchdog/guard-claim.ts';
import type { SharedTime } from './shared-time.ts';

/** Whoever asks: what comes back reaches it only while its process runs. */
export interface Asker extends Clock {
  deliver(callback: () => void): void;
}

export interface NetworkOptions {
  /** Until a request is there, and until its answer is back, at most. */
  readonly slowestMs: number;
}

export class LeaseServer {
  readonly #time: SharedTime;
  readonly #slowestMs: number;
  readonly #leases = new Map<string, Lease>();
  #version = 0;
  /** An outage: nobody gets through. */
  isDown = false;
  /** Between the guarded machine and the API server. */
  isGuardCutOff = false;
  /** Requests of the guard arrive, and it hears nothing. */
  answersAreLost = false;
  #beforeNextAnswer: (() => void) | undefined;
  /** Between the leader and the API server. */
  isLeaderCutOff = false;

  constructor(time: SharedTime, { slowestMs }: NetworkOptions) {
    this.#time = time;
    this.#slowestMs = slowestMs;
  }

  leaseOf(node: string): Lease | undefined {
    return this.#leases.get(guardLeaseName(node));
  }

  /** What people write. */
  setOff(node: string, off: boolean): void {
    const lease = this.leaseOf(node);
    if (lease === undefined) return;
    const { [guardOffAnnotation]: _, ...annotations } = lease.metadata.annotations ?? {};
    const renewedAt = Date.parse(lease.spec?.renewTime ?? '');
    const wanted = { ...annotations, ...(off && { [guardOffAnnotation]: 'planned' }) };
    this.#put(lease.metadata.name, lease.metadata.uid, wanted, renewedAt);
  }

  /** Called once, when the next renewal has been done and its answer is about to arrive. */
  beforeNextAnswer(act: () => void): void {
    this.#beforeNextAnswer = act;
  }

  storeFor(node: string, asker: Asker): GuardLeaseStore {
    const name = guardLeaseName(node);
    const ask = <T>(timeoutMs: number, act: () => T): Promise<T> =>
      this.#ask(
        asker,
        timeoutMs,
        act,
        () => this.isGuardCutOff,
        () => this.answersAreLost,
      );
    return {
      read: ({ timeoutMs }) =>
        ask(timeoutMs, () => {
          const lease = this.#leases.get(name);
          return lease && snapshotOf(lease);
        }),
      write: (seen, claim, { timeoutMs }) => {
        const wallTime = asker.wallTime();
        return ask(timeoutMs, () => {
          const result = this.#write(name, seen, claim, wallTime);
          if (result.outcome === 'written') this.#beforeNextAnswer?.();
          this.#beforeNextAnswer = undefined;
          return result;
        });
      },
    };
  }

  reader(asker: Asker): ReadLease {
    return ({ name }) =>
      this.#ask(
        asker,
        10_000,
        () => this.#leases.get(name),
        () => this.isLeaderCutOff,
        () => false,
      );
  }

  #write(
    name: string,
    seen: GuardLeaseSnapshot | undefined,
    claim: GuardClaim,
    wallTime: number,
  ): Awaited<ReturnType<GuardLeaseStore['write']>> {
    const now = this.#leases.get(name);
    const isSame =
      now === undefined
        ? seen === undefined
        : now.metadata.uid === seen?.uid && now.metadata.resourceVersion === seen.resourceVersion;
    if (!isSame) return { outcome: 'conflict' };
    const off = now?.metadata.annotations?.[guardOffAnnotation];
    const annotations = {
      ...claimAnnotations(claim),
      ...(off !== undefined && { [guardOffAnnotation]: off }),
    };
    return {
      outcome: 'written',
      snapshot: snapshotOf(this.#put(name, now?.metadata.uid, annotations, wallTime)),
    };
  }

  #put(
    name: string,
    uid: string | undefined,
    annotations: Readonly<Record<string, string>>,
    wallTime: number,
  ): Lease {
    this.#version += 1;
    const resourceVersion = String(this.#version);
    const lease: Lease = {
      metadata: { name, uid: uid ?? `uid-${this.#version}`, resourceVersion, annotations },
      spec: { renewTime: new Date(wallTime).toISOString() },
    };
    this.#leases.set(name, lease);
    return lease;
  }

  /** What was sent may be done long after its sender has given up, or died. */
  #ask<T>(
    asker: Asker,
    timeoutMs: number,
    act: () => T,
    isCut: () => boolean,
    isMute: () => boolean,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      asker.setTimeout(() => reject(new Error('no answer')), timeoutMs);
      if (isCut()) return;
      this.#time.setTimeout(() => {
        if (this.isDown || isCut()) return;
        const answer = act();
        this.#time.setTimeout(() => {
          if (!isCut() && !isMute() && !this.isDown) asker.deliver(() => resolve(answer));
        }, this.#time.draw(this.#slowestMs));
      }, this.#time.draw(this.#slowestMs));
    });
  }
}

function snapshotOf({ metadata }: Lease): GuardLeaseSnapshot {
  const { uid, resourceVersion } = metadata;
  const off = metadata.annotations?.[guardOffAnnotation];
  return { uid, resourceVersion, ...(off !== undefined && { off }) };
}
