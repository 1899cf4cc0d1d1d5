// What the port through which takeovers act is tested on: the fake that core's tests use, or the real thing on a server.
import type { LeaderTerm, Node, Pod, TakeoverCluster } from '@liberator/core';

/** Where the pods of the story are; `default` can't be deleted. */
export const namespace = 'shop';

/** A finalizer that nobody but the test takes off. */
export const finalizer = 'example.com/hold';

/**
 * Two nodes, of which `node-1` has died with a StatefulSet's pod `db-0` on it, whose claim `data-db-0` is bound to a
 * volume that is attached there, and with a DaemonSet's pod. `node-2` is well, and has room.
 */
export interface TakeoverPort {
  readonly cluster: TakeoverCluster;
  /** A term that lasts until it is ended. */
  term(epoch: number): LeaderTerm & { end(why: string): void };
  pass(ms: number): Promise<void>;
  close(): Promise<void>;

  // What others do, past the port.

  changeNode(name: string, change: (node: Node) => Node): void;
  /** The same name, another uid. */
  registerAnew(node: string): void;
  removeNode(name: string): void;
  /** By its name in {@link namespace}. */
  changePod(name: string, change: (pod: Pod) => Pod): void;
  /** A pod that nobody manages, bound to the node. */
  addPod(name: string, node: string, spec?: Pick<NonNullable<Pod['spec']>, 'tolerations'>): void;
  renewLease(node: string, renewTime: string): void;
  scale(set: string, replicas: number): void;
  removeSet(set: string): void;
  terminateNamespace(): void;
  /** Anything that lies where records lie, under a record's name and label. */
  putRecordObject(id: string, text: string, annotations?: Readonly<Record<string, string>>): void;
  annotateRecord(id: string, annotations: Readonly<Record<string, string>>): void;
  /** A scheduler that finds no room on any node. */
  fillUp(): void;

  // What goes wrong.

  /** An admission policy that refuses every write to the object of this name, in these words. */
  refuse(resource: 'nodes' | 'pods' | 'configmaps' | 'events', name: string, message: string): void;
  /** The next write to a Node is lost: on its way there, or its answer on the way back. */
  loseNextNodeWrite(moment: 'request' | 'answer'): void;
  /** Calls of the agent reach nobody and are not answered, from now on. */
  hang(): void;
  /** How many writes have reached the server through the port. */
  writes(): number;
}

/** Runs a test on a cluster of its own. */
export type Within = (test: (port: TakeoverPort) => Promise<void>) => Promise<void>;
