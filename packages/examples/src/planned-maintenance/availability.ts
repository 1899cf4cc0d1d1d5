// Watches how many replicas of the database are Ready, all the time: the proof of a maintenance that nobody noticed.
import { type KubernetesReader, type Pod, pods, sleep, systemClock } from '@liberator/core';
import { databaseSelector, namespace } from './workloads.ts';

const lookEveryMs = 100;

/** Looks until it is disposed of. */
export class Availability implements AsyncDisposable {
  readonly #reader: KubernetesReader;
  readonly #stop = new AbortController();
  readonly #looking: Promise<void>;
  #fewest = Number.POSITIVE_INFINITY;
  #failure: unknown;

  /** Begin when all are Ready. */
  constructor(reader: KubernetesReader) {
    this.#reader = reader;
    this.#looking = this.#look().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** The fewest replicas that were Ready at any look. Throws what kept it from looking, if anything did. */
  get fewest(): number {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#fewest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }

  async #look(): Promise<void> {
    do this.#fewest = Math.min(this.#fewest, await readyReplicas(this.#reader));
    while (await sleep(systemClock, lookEveryMs, this.#stop.signal));
  }
}

/** How many replicas of the database are Ready now. */
export async function readyReplicas(reader: KubernetesReader): Promise<number> {
  const { items } = await reader.list(pods, { namespace, labelSelector: databaseSelector });
  return items.filter(isReady).length;
}

function isReady({ metadata, status }: Pod): boolean {
  const ready = status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;
  return ready && metadata.deletionTimestamp === undefined;
}
