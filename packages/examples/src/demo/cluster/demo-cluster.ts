// What the story needs of a cluster, be it embedded or real.
import { defaultHeartbeatDetection } from '@liberator/core';
import type { Manifest } from './create-objects.ts';

/** How the agents may tell death from a hiccup on this cluster. */
export interface Detection {
  /** Whether hosts can be asked if anybody is there. */
  readonly probes: boolean;
  /** Silence after which a node counts as dead. */
  readonly deadAfterMs: number;
}

/** Hosts that can be asked are; where nobody can ask them, silence and Kubernetes' own opinion must do, and longer. */
export const withProbes: Detection = { probes: true, deadAfterMs: defaultHeartbeatDetection.deadAfterMs };
export const withoutProbes: Detection = {
  probes: false,
  deadAfterMs: defaultHeartbeatDetection.deadUnprobedAfterMs,
};

/** A running cluster in which nodes can be crashed; disposing of it takes back whatever the demo did to it. */
export interface DemoCluster extends AsyncDisposable {
  readonly kind: 'embedded' | 'real';
  /** `v1.36.3` */
  readonly version: string;
  /** For people: what this is. */
  readonly about: string;
  /** Timers of Kubernetes that differ from its defaults, such as "node monitor grace period: 20 s". */
  readonly changedTimers: readonly string[];
  readonly nodes: readonly string[];
  /** Of somebody who may do everything. */
  readonly adminKubeconfig: string;
  /** Of the agents' account. Its namespace is there, and what it may do is granted. */
  readonly agentKubeconfig: string;
  readonly detection: Detection;
  /** Whether somebody provides volumes for claims; else the story makes one by hand. */
  readonly providesVolumes: boolean;
  /** Creates what isn't there. Whatever was created goes with the cluster, or when this is disposed of. */
  create(objects: readonly Manifest[]): Promise<void>;
  /** Cuts a machine's power. */
  crash(node: string): Promise<void>;
  /** Switches a crashed machine on again. */
  powerOn(node: string): Promise<void>;
  /** How many Nodes were deleted since `since`, by anybody, according to the audit log. */
  nodeDeletes(since: Date): Promise<number>;
}

/** Where the agents keep their election and their records. */
export const agentNamespace = 'tkr-system';
export const agentAccount = 'high-availability';
