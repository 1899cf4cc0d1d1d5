// What the port through which people's maintenance acts is tested on: the fake that core's tests use, or the real thing.
import type { MaintenanceCluster, Node } from '@liberator/core';

/**
 * Two nodes that are well. On `node-1`, which is where everything starts: `db-0` of StatefulSet `db` with the claim
 * `data-db-0`, and `alone`, which nobody manages. Both run, and are Ready.
 */
export interface MaintenancePort {
  readonly cluster: MaintenanceCluster;
  pass(ms: number): Promise<void>;
  close(): Promise<void>;

  // What others do. Everything is in the namespace `default`.

  changeNode(name: string, change: (node: Node) => Node): void;
  removeNode(name: string): void;
  scale(set: string, replicas: number): void;
  removeSet(set: string): void;
  /** A budget that lets none of the pods go, of `db` or of `alone`. */
  protect(what: 'db' | 'alone', budget: string): void;
  unprotect(budget: string): void;
  /** An admission policy that refuses to let this pod go. */
  refuse(pod: string, message: string): void;
  /** Nothing is answered from now on. */
  breakDown(): void;
}
