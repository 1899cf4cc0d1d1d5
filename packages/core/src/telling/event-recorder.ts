// The one place through which Kubernetes Events leave: they are for people, and none may delay or fail what it tells about.
import type { LeaderTerm } from '../election/leader-term.ts';
import type { NodeEvent, TakeoverCluster } from '../takeover/cluster.ts';

export interface EventRecorderOptions {
  readonly cluster: Pick<TakeoverCluster, 'publishEvent'>;
  /** A recorder serves one term. */
  readonly term: LeaderTerm;
  readonly onError: (error: unknown) => void;
}

export class EventRecorder {
  readonly #options: EventRecorderOptions;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Never waited for, and never throws. */
  publish(event: NodeEvent): void {
    const { term, cluster, onError } = this.#options;
    if (term.remainingMs() <= 0) return;
    cluster.publishEvent(term, event).catch((error: unknown) => {
      if (term.remainingMs() > 0) onError(error);
    });
  }
}
