// What the probes of a kubelet are told: whether this process should be restarted, and whether it could lead.
import type { Controller, ControllerError } from '@liberator/core';
import { isForbidden, isUnauthorized } from '@liberator/core';
import { sentenceOf } from '../process/failure.ts';
import { formatDuration } from '../text/duration.ts';

export interface HealthReport {
  readonly ok: boolean;
  /** One sentence for each thing that was looked at. */
  readonly lines: readonly string[];
}

/** The controller looks around twice a second: twenty looks missed in a row are no hiccup. */
const longestPauseMs = 10_000;

/** A refusal that isn't repeated within this much more than its retry pause is over. */
const refusalMarginMs = 15_000;

/** Collects what the two answers rest on. */
export class AgentHealth {
  readonly #now: () => number;
  readonly #controller: Pick<Controller, 'ready' | 'lookedAt'>;
  readonly #refusals = new Map<string, { readonly sentence: string; readonly until: number }>();
  readonly #stop: AbortSignal;
  #begun = false;

  /**
   * @param stop aborts when the process was asked to stop
   * @param now the controller's clock, in milliseconds
   */
  constructor(
    controller: Pick<Controller, 'on' | 'ready' | 'lookedAt'>,
    stop: AbortSignal,
    now: () => number,
  ) {
    this.#controller = controller;
    this.#stop = stop;
    this.#now = now;
    controller.on('error', (error) => this.#note(error));
  }

  /** The API server was there, and the controller is about to run. */
  begin(): void {
    this.#begun = true;
  }

  /** Whether the process is alive. Trouble with the API server is no reason to restart: a restart would not help. */
  liveness(): HealthReport {
    if (this.#stop.aborted) return { ok: true, lines: ['ok: stopping'] };
    if (!this.#begun) return { ok: true, lines: ['ok: waiting for the API server'] };
    const pauseMs = this.#now() - (this.#controller.lookedAt ?? Number.NEGATIVE_INFINITY);
    const ok = pauseMs <= longestPauseMs;
    const ago = Number.isFinite(pauseMs) ? `${formatDuration(Math.max(0, pauseMs))} ago` : 'never';
    const limit = formatDuration(longestPauseMs);
    const line = `the controller looked around ${ago}; more than ${limit} would mean that it hangs`;
    return { ok, lines: [`${ok ? 'ok' : 'failed'}: ${line}`] };
  }

  /** Whether this replica could lead: every cache is filled, and the API server refuses it nothing. */
  readiness(): HealthReport {
    if (this.#stop.aborted) return { ok: false, lines: ['failed: stopping'] };
    if (!this.#begun) return { ok: false, lines: ['failed: waiting for the API server'] };
    const now = this.#now();
    const refusals = [...this.#refusals.values()].filter(({ until }) => now < until);
    const lines = [
      this.#controller.ready ? 'ok: every cache is filled' : 'failed: not all caches are filled yet',
      ...refusals.map(({ sentence }) => `failed: ${sentence}`),
    ];
    return { ok: this.#controller.ready && refusals.length === 0, lines };
  }

  #note({ where, error, retryInMs }: ControllerError): void {
    if (isForbidden(error) || isUnauthorized(error)) {
      const until = this.#now() + (retryInMs ?? 0) + refusalMarginMs;
      this.#refusals.set(where, { sentence: `${where}: ${sentenceOf(error)}`, until });
    } else {
      this.#refusals.delete(where);
    }
  }
}
