// What is noted of a node at the claim, for whoever needs it after its Node object is gone.
import type { Node } from '../kubernetes/objects.ts';
import { type MachineIdentity, machineOf } from './machine.ts';

/** By which addresses a storage system knows a node, as its CSI driver said while the node lived. */
export interface StorageClient {
  /** The CSI driver. */
  readonly driver: string;
  /** Under which id that driver knows the node. */
  readonly nodeId: string;
  /** The NetworkFenceClass for which it was said. */
  readonly networkFenceClass: string;
  /** `10.0.0.7/32` */
  readonly cidrs: readonly string[];
}

/** What was noted of a node when its takeover was opened: its Node object may be gone when it is needed. */
export interface NotedNode {
  /** What tells its machine from others. */
  readonly machine: MachineIdentity;
  /** As in `status.addresses`. */
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
  /** Its labels, as they were when they were last seen before the release. */
  readonly labels: Readonly<Record<string, string>>;
  /** Its annotations, as they were when they were last seen before the release; without values of over 1,024 characters. */
  readonly annotations: Readonly<Record<string, string>>;
  /**
   * How storage knows it. Noted while it lived, since whoever asks later is told something else; absent when nobody has to know, or nobody
   * ever said.
   */
  readonly storage?: readonly StorageClient[];
}

/** Words, addresses and marks are shorter; what is longer is some program's own business, such as the manifest that was applied. */
const longestAnnotation = 1_024;

/** What would be noted of it now. */
export function notedOf(node: Node): NotedNode {
  const { metadata, status } = node;
  return {
    machine: machineOf(node),
    addresses: status?.addresses ?? [],
    labels: metadata.labels ?? {},
    annotations: shortOnes(metadata.annotations ?? {}),
  };
}

/** A record beside the Node's whole annotations, which may take 256 KiB, would not fit into an object. */
function shortOnes(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(annotations).filter(([, value]) => value.length <= longestAnnotation),
  );
}
