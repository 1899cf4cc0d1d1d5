// Watches how many replicas of the database are Ready, all the time: the proof of a maintenance that nobody noticed.
import { type Clock, type KubernetesReader, type Pod, pods, sleep } from '@liberator/core';
import { databaseSelector, namespace } from './workloads.ts';

const lookEveryMs = 100;

/** Looks from when it is made until it is stopped. */
export class Availability {
  readonly #reader: KubernetesReader;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #fewest = Number.POSITIVE_INFINITY;
  #failure: unknown;

  constructor(reader: KubernetesReader, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
    this.#look().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** The fewest replicas that were Ready at any look. Throws what kept it from looking, if anything did. */
  get fewest(): number {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#fewest;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #look(): Promise<void> {
    do this.#fewest = Math.min(this.#fewest, await readyReplicas(this.#reader));
    while (await sleep(this.#clock, lookEveryMs, this.#stop.signal));
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
