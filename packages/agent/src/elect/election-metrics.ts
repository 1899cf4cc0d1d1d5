// What a candidate counts and measures, for Prometheus.
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Standing } from './standing.ts';

export interface ElectionMetricsOptions {
  /** Namespace and name of the Lease. */
  readonly election: string;
  readonly version: string;
  /** How it stands at this moment. */
  readonly look: () => Standing;
  /** How many follow the stream at this moment. */
  readonly readers: () => number;
}

/** One registry for one candidate: nothing is shared through the module, so several can live in one process. */
export class ElectionMetrics {
  readonly registry: Registry = new Registry();
  readonly #transitions: Counter;
  readonly #errors: Counter;
  #lastTerm: number | undefined;

  constructor({ election, version, look, readers }: ElectionMetricsOptions) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.registry.setDefaultLabels({ election });
    new Gauge({
      registers,
      name: 'liberator_build_info',
      help: 'Always 1; the label carries the version of the agent.',
      labelNames: ['version'],
    }).set({ version }, 1);
    new Gauge({
      registers,
      name: 'liberator_election_leader',
      help: '1 while this candidate leads; else 0. The sum over all candidates should be 1.',
      collect() {
        this.set(look().isLeader ? 1 : 0);
      },
    });
    new Gauge({
      registers,
      name: 'liberator_election_term',
      help: 'The term of the leader that this candidate knows of, itself included; -1 when it knows of none.',
      collect() {
        this.set(look().term ?? -1);
      },
    });
    new Gauge({
      registers,
      name: 'liberator_election_stream_readers',
      help: 'How many follow /sse.',
      collect() {
        this.set(readers());
      },
    });
    this.#transitions = new Counter({
      registers,
      name: 'liberator_election_transitions_total',
      help: 'Terms that this candidate has seen begin, its own included.',
    });
    this.#errors = new Counter({
      registers,
      name: 'liberator_election_errors_total',
      help: 'Requests for the Lease that failed and are tried again.',
    });
  }

  changed({ term }: Standing): void {
    if (term !== undefined && term !== this.#lastTerm) this.#transitions.inc();
    this.#lastTerm = term ?? this.#lastTerm;
  }

  failed(): void {
    this.#errors.inc();
  }
}
