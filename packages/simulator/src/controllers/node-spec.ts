// What a machine is made as, and what a kubelet finds when it starts there.
import type { Taint } from '@liberator/core';
import type { ContainerRuntime } from './container-runtime.ts';

/** What a machine and the Node that it registers look like. */
export interface NodeSpec {
  /** The machine's and its Node's name. */
  readonly name: string;
  /** Becomes the label `topology.kubernetes.io/zone`. */
  readonly zone?: string;
  /** Beside those that every Node has. */
  readonly labels?: Readonly<Record<string, string>>;
  /** On the Node that it registers. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** On the Node that it registers. */
  readonly taints?: readonly Taint[];
  /** InternalIP. Default: one of its own in 10.0.0.0/8. */
  readonly address?: string;
  /** Default 10250. */
  readonly kubeletPort?: number;
  /** Default: 8 cpu, 32Gi memory, 110 pods. */
  readonly capacity?: Readonly<Record<string, string>>;
  /** Default: none. */
  readonly providerID?: string;
  /** Of the machine's board, as its kubelet reports it. Default: none. */
  readonly systemUUID?: string;
}

/** What a kubelet finds on its machine. */
export interface KubeletHost {
  readonly spec: NodeSpec;
  readonly bootId: string;
  readonly runtime: ContainerRuntime;
}
