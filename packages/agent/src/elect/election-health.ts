// What the probes of a kubelet are told about a candidate, judged by what comes of its requests for the Lease.
import { type Clock, KubernetesError, type LeaseStore, systemClock } from '@liberator/core';
import { mayPass } from '../cluster/may-pass.ts';
import type { HealthReport } from '../http/health.ts';
import { sentenceOf } from '../process/failure.ts';
import { formatDuration } from '../text/duration.ts';

export interface ElectionHealthOptions {
  /** Whoever has not seen the Lease for this long knows nothing of the election. */
  readonly leaseDurationMs: number;
  /** Aborts when the process was asked to stop. */
  readonly stop: AbortSignal;
  readonly clock?: Clock;
}

/** A candidate asks several times in a lease duration: this many of them without a question are no hiccup. */
const hangsAfterLeases = 5;

export class ElectionHealth {
  readonly #leaseDurationMs: number;
  readonly #stop: AbortSignal;
  readonly #clock: Clock;
  #askedAt: number;
  #seenAt: number | undefined;
  /** An answer that waiting won't change: no permission, no namespace. */
  #refusal: { readonly sentence: string; readonly at: number } | undefined;

  constructor(options: ElectionHealthOptions) {
    this.#leaseDurationMs = options.leaseDurationMs;
    this.#stop = options.stop;
    this.#clock = options.clock ?? systemClock;
    this.#askedAt = this.#clock.now();
  }

  /** The same store, with an eye on what is asked and what is answered. */
  watching(store: LeaseStore): LeaseStore {
    return {
      read: async (options) => {
        const snapshot = await this.#noting(store.read(options));
        // That there is none is no sign that there can be one.
        if (snapshot !== undefined) this.#seenAt = this.#clock.now();
        return snapshot;
      },
      create: (record, options) => this.#writing(store.create(record, options)),
      update: (seen, record, options) => this.#writing(store.update(seen, record, options)),
    };
  }

  /** Whether the process is alive. Trouble with the API server is no reason to restart: a restart would not help. */
  liveness(): HealthReport {
    if (this.#stop.aborted) return { ok: true, lines: ['ok: stopping'] };
    const limitMs = hangsAfterLeases * this.#leaseDurationMs;
    const ok = this.#clock.now() - this.#askedAt <= limitMs;
    const line = `the Lease was last asked for ${this.#ago(this.#askedAt)}; more than ${formatDuration(limitMs)} ago would mean that it hangs`;
    return { ok, lines: [`${ok ? 'ok' : 'failed'}: ${line}`] };
  }

  /** Whether it can take part: it has seen the Lease not long ago, and the API server refuses it nothing. */
  readiness(): HealthReport {
    if (this.#stop.aborted) return { ok: false, lines: ['failed: stopping'] };
    const lines: string[] = [];
    if (this.#seenAt === undefined) lines.push('failed: the Lease has not been seen yet');
    else {
      const fresh = this.#isRecent(this.#seenAt);
      lines.push(`${fresh ? 'ok' : 'failed'}: the Lease was last seen ${this.#ago(this.#seenAt)}`);
    }
    if (this.#refusal !== undefined && this.#isRecent(this.#refusal.at))
      lines.push(`failed: ${this.#refusal.sentence}`);
    return { ok: lines.every((line) => line.startsWith('ok')), lines };
  }

  async #writing<T extends { readonly outcome: string }>(call: Promise<T>): Promise<T> {
    const result = await this.#noting(call);
    if (result.outcome === 'written') {
      this.#seenAt = this.#clock.now();
      this.#refusal = undefined;
    }
    return result;
  }

  async #noting<T>(call: Promise<T>): Promise<T> {
    this.#askedAt = this.#clock.now();
    try {
      return await call;
    } catch (error) {
      if (error instanceof KubernetesError && !mayPass(error))
        this.#refusal = { sentence: sentenceOf(error), at: this.#clock.now() };
      throw error;
    }
  }

  #isRecent(at: number): boolean {
    return this.#clock.now() - at <= this.#leaseDurationMs;
  }

  #ago(at: number): string {
    return `${formatDuration(Math.round((this.#clock.now() - at) / 100) * 100)} ago`;
  }
}
