// Remembers by which addresses storage knows each node, as it was while the node lived: whoever asks after its death is told something else.
import type { StorageClient } from '../../evidence/noted-node.ts';
import type { Node } from '../../kubernetes/objects.ts';
import type { KubernetesReader } from '../../kubernetes/reader.ts';
import type { CacheObject } from '../../kubernetes/reflected-items.ts';
import { Reflector } from '../../kubernetes/reflector.ts';
import type { Clock, Random } from '../../time/clock.ts';
import { type CsiAddonsNode, csiAddonsNodes, nodeIdOf, storageClientsIn } from './csi-addons.ts';

/** What is kept of a CSIAddonsNode. */
interface Sidecar extends CacheObject {
  readonly clients: readonly StorageClient[];
}

/** What one side-car said when it could be believed last, and of which Node. */
interface Remembered {
  readonly clients: readonly StorageClient[];
  /** Of the Node; undefined when nobody knew of one with such an id. */
  readonly uid: string | undefined;
  /** When its CSIAddonsNode went, if that says nothing of the addresses: the node was silent, or gone as well. */
  readonly goneAt?: number;
}

/** By then whoever fences a node that went has noted what it needs. */
const keptWhenGoneMs = 3_600_000;

/** A node as far as it matters here. */
export interface HeardNode {
  readonly node: Node;
  /** It is heard: what is said of it now is said of a machine that lives. */
  readonly isHeard: boolean;
}

/** Options of {@link StorageClients}. */
export interface StorageClientsOptions {
  readonly reader: KubernetesReader;
  readonly clock: Clock;
  readonly random: Random;
  /** As it is known at the moment of the call; undefined when there is none of that name. */
  readonly nodeNamed: (name: string) => HeardNode | undefined;
  /** All of them: only asked for drivers that know nodes by other ids than their names. */
  readonly nodes: () => Iterable<HeardNode>;
  readonly onError: (error: unknown, retryInMs: number | undefined) => void;
}

/**
 * Watches CSIAddonsNodes. What one says is taken for true while its node is heard, or when nothing was known of it before: csi-addons
 * writes it as it connects to the node, never later. Once the node is silent nothing of it changes, deletion included, until it is
 * heard again.
 *
 * Every replica watches, so that whoever leads when a node dies knows it from before. No decision rests on it: it is noted in the record
 * of the takeover, for whoever fences.
 */
export class StorageClients {
  readonly #options: StorageClientsOptions;
  readonly #reflector: Reflector<CsiAddonsNode, Sidecar>;
  /** By namespace and name of the CSIAddonsNode. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(options: StorageClientsOptions) {
    this.#options = options;
    const { reader, clock, random } = options;
    this.#reflector = new Reflector<CsiAddonsNode, Sidecar>({
      reader,
      clock,
      random,
      resource: csiAddonsNodes,
      withoutArrays: ['managedFields'],
      project: (sidecar) => ({
        metadata: {
          name: sidecar.metadata.name,
          ...(sidecar.metadata.namespace !== undefined && { namespace: sidecar.metadata.namespace }),
          uid: sidecar.metadata.uid,
          resourceVersion: sidecar.metadata.resourceVersion,
        },
        clients: storageClientsIn(sidecar),
      }),
      handlers: {
        onAdded: (sidecar) => this.#note(sidecar),
        onUpdated: (_, sidecar) => this.#note(sidecar),
        onDeleted: (sidecar) => this.#forget(sidecar),
        onError: (error, { willRetryInMs }) => options.onError(error, willRetryInMs),
      },
    });
  }

  start(): void {
    this.#reflector.start();
  }

  async stop(): Promise<void> {
    await this.#reflector.stop();
  }

  /** What is known of this very node; empty when nothing is. */
  of(node: Node): readonly StorageClient[] {
    return [...this.#remembered.values()]
      .filter(({ uid }) => uid === undefined || uid === node.metadata.uid)
      .flatMap(({ clients }) => clients)
      .filter(({ driver, nodeId }) => nodeIdOf(node, driver) === nodeId);
  }

  #note(sidecar: Sidecar): void {
    this.#prune();
    const [client] = sidecar.clients;
    // One that has just lost its connection says nothing for a while.
    if (client === undefined) return;
    const owner = this.#ownerOf(client);
    const uid = owner?.node.metadata.uid;
    const key = keyOf(sidecar);
    const before = this.#remembered.get(key);
    const isSameNode = before !== undefined && (before.uid === undefined || before.uid === uid);
    if (isSameNode && owner !== undefined && !owner.isHeard) return;
    // What side-cars said that are gone by now is over: the node is heard, and says it anew.
    for (const [other, { goneAt, clients }] of this.#remembered) {
      if (goneAt !== undefined && clients.some((one) => isSame(one, client))) this.#remembered.delete(other);
    }
    this.#remembered.set(key, { clients: sidecar.clients, uid });
  }

  /** Of a node that is heard it will be said anew. Of any other this may be the last that is ever known. */
  #forget(sidecar: Sidecar): void {
    this.#prune();
    const key = keyOf(sidecar);
    const before = this.#remembered.get(key);
    const [client] = before?.clients ?? [];
    if (before === undefined || client === undefined) return;
    if (this.#ownerOf(client)?.isHeard === true) this.#remembered.delete(key);
    else this.#remembered.set(key, { ...before, goneAt: this.#options.clock.now() });
  }

  #prune(): void {
    const now = this.#options.clock.now();
    for (const [key, { goneAt }] of this.#remembered) {
      if (goneAt !== undefined && now - goneAt > keptWhenGoneMs && !this.#isThere(key))
        this.#remembered.delete(key);
    }
  }

  /** Its Node is there still, silent: for how long that is so nobody knows. */
  #isThere(key: string): boolean {
    const [client] = this.#remembered.get(key)?.clients ?? [];
    return client !== undefined && this.#ownerOf(client) !== undefined;
  }

  #ownerOf({ driver, nodeId }: StorageClient): HeardNode | undefined {
    const named = this.#options.nodeNamed(nodeId);
    if (named !== undefined && nodeIdOf(named.node, driver) === nodeId) return named;
    for (const one of this.#options.nodes()) if (nodeIdOf(one.node, driver) === nodeId) return one;
    return undefined;
  }
}

function isSame(a: StorageClient, b: StorageClient): boolean {
  return a.driver === b.driver && a.nodeId === b.nodeId;
}

function keyOf({ metadata }: CacheObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
