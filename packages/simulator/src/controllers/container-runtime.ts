// What really runs on a machine, whatever the API says: the truth against which tests hold everything else.
import type { Clock } from '@liberator/core';

/** A pod whose containers run on some machine right now. */
export interface RunningPod {
  /** The pod's uid. */
  readonly uid: string;
  /** The pod's namespace. */
  readonly namespace: string;
  /** The pod's name. */
  readonly name: string;
  /** The machine's name. */
  readonly node: string;
  /** When its containers started, by the clock's `now()`. */
  readonly startedAtMs: number;
}

/** The containers of one machine. They outlive the kubelet, and end with the machine's power. */
export class ContainerRuntime {
  readonly #clock: Clock;
  readonly #node: string;
  readonly #running = new Map<string, RunningPod>();
  /** Made anew only when something changed: whoever looks often can tell by identity. */
  #list: readonly RunningPod[] | undefined;

  constructor(clock: Clock, node: string) {
    this.#clock = clock;
    this.#node = node;
  }

  start(uid: string, namespace: string, name: string): void {
    if (this.#running.has(uid)) return;
    this.#list = undefined;
    this.#running.set(uid, { uid, namespace, name, node: this.#node, startedAtMs: this.#clock.now() });
  }

  stop(uid: string): void {
    this.#list = undefined;
    this.#running.delete(uid);
  }

  killAll(): void {
    this.#list = undefined;
    this.#running.clear();
  }

  isRunning(uid: string): boolean {
    return this.#running.has(uid);
  }

  list(): readonly RunningPod[] {
    this.#list ??= [...this.#running.values()];
    return this.#list;
  }
}
