// The kubelet process of one machine: what it says about its node, and what it does with its pods.
import type { ControllerContext } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import { NodeReporter } from './node-reporter.ts';
import type { KubeletHost } from './node-spec.ts';
import { PodWorkers } from './pod-workers.ts';

/**
 * One run of a kubelet. It registers its Node when it starts and never again: a Node deleted while it runs stays
 * deleted. Cut off from the API it goes on running what it runs, and knows nothing new.
 */
export class Kubelet {
  readonly #reporter: NodeReporter;
  readonly #workers: PodWorkers;
  #connected = false;
  #frozen = false;

  constructor(context: ControllerContext, host: KubeletHost) {
    const client = new ControllerClient(context.store, `system:node:${host.spec.name}`);
    this.#workers = new PodWorkers(context, client, host, () => this.#reporter.statusChanged());
    this.#reporter = new NodeReporter(context, client, host, () => this.#workers.volumesInUse());
  }

  start(connected: boolean): void {
    if (connected) this.connect();
  }

  /** Ends the process. Containers stay as they are. */
  stop(): void {
    this.disconnect();
    this.#workers.freeze();
  }

  connect(): void {
    this.#connected = true;
    if (!this.#frozen) this.#goOnline();
  }

  disconnect(): void {
    this.#connected = false;
    this.#goOffline();
  }

  /** Nothing moves until {@link Kubelet.thaw}. */
  freeze(): void {
    this.#frozen = true;
    this.#goOffline();
    this.#workers.freeze();
  }

  thaw(): void {
    this.#frozen = false;
    this.#workers.thaw();
    if (this.#connected) this.#goOnline();
  }

  #goOnline(): void {
    this.#reporter.goOnline();
    this.#workers.goOnline();
  }

  #goOffline(): void {
    this.#reporter.goOffline();
    this.#workers.goOffline();
  }
}
