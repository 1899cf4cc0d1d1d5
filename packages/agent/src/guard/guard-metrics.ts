// What a guard counts and measures, for Prometheus.
import type { GuardState, WatchdogGuard } from '@liberator/core';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

type Standing = Pick<WatchdogGuard, 'state' | 'remainingMs' | 'settings'>;

/** One registry for one guard. */
export class GuardMetrics {
  readonly registry: Registry = new Registry();
  readonly #errors: Counter;

  constructor({
    node,
    version,
    guard,
  }: { readonly node: string; readonly version: string; readonly guard: Standing }) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.registry.setDefaultLabels({ node });
    new Gauge({
      registers,
      name: 'liberator_build_info',
      help: 'Always 1; the label carries the version of the agent.',
      labelNames: ['version'],
    }).set({ version }, 1);
    new Gauge({
      registers,
      name: 'liberator_guard_state',
      help: 'What the API server has confirmed last: 1 for the state that counts, else 0.',
      labelNames: ['state'],
      collect() {
        for (const state of states) this.set({ state }, guard.state === state ? 1 : 0);
      },
    });
    new Gauge({
      registers,
      name: 'liberator_guard_remaining_seconds',
      help: 'For how long the watchdog may still be fed without another renewal; 0 when it may not.',
      collect() {
        this.set(guard.remainingMs / 1_000);
      },
    });
    new Gauge({
      registers,
      name: 'liberator_guard_watchdog_timeout_seconds',
      help: 'How long after its last feed the watchdog resets the machine, as its device says.',
      collect() {
        this.set(guard.settings.timeoutMs / 1_000);
      },
    });
    this.#errors = new Counter({
      registers,
      name: 'liberator_guard_errors_total',
      help: 'Renewals that failed and were tried again.',
    });
  }

  failed(): void {
    this.#errors.inc();
  }
}

const states: readonly GuardState[] = ['arming', 'armed', 'released'];
