// The objects of csi-addons, as far as they are used here, and how a node is known to its storage.
import type { StorageClient } from '../../evidence/noted-node.ts';
import type { KubernetesObject, Node } from '../../kubernetes/objects.ts';
import type { Resource } from '../../kubernetes/resources.ts';

/** Keeps addresses from a storage system, or no longer. Fields as in csi-addons' API. */
export interface NetworkFence extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly generation?: number };
  readonly spec: {
    readonly networkFenceClassName: string;
    readonly fenceState: 'Fenced' | 'Unfenced';
    readonly cidrs: readonly string[];
  };
  readonly status?: {
    /** Of the last operation, whichever that was: there is nothing in it that says for which state of the spec it holds. */
    readonly result?: string;
    readonly message?: string;
  };
}

/** Which CSI driver fences, and with what. Fields as in csi-addons' API. */
export interface NetworkFenceClass extends KubernetesObject {
  readonly spec?: { readonly provisioner?: string };
}

/** One side-car of a CSI driver, and what it said when it was connected to last. Fields as in csi-addons' API. */
export interface CsiAddonsNode extends KubernetesObject {
  readonly spec?: { readonly driver?: { readonly name?: string; readonly nodeID?: string } };
  readonly status?: {
    readonly networkFenceClientStatus?: readonly {
      readonly networkFenceClassName?: string;
      /** With a capital letter there, too. */
      readonly ClientDetails?: readonly { readonly id?: string; readonly cidrs?: readonly string[] }[];
    }[];
  };
}

const group = 'csiaddons.openshift.io';
const version = 'v1alpha1';

/** NetworkFences. */
export const networkFences: Resource<NetworkFence> = {
  group,
  version,
  plural: 'networkfences',
  kind: 'NetworkFence',
  namespaced: false,
};

/** NetworkFenceClasses. */
export const networkFenceClasses: Resource<NetworkFenceClass> = {
  group,
  version,
  plural: 'networkfenceclasses',
  kind: 'NetworkFenceClass',
  namespaced: false,
};

/** CSIAddonsNodes. */
export const csiAddonsNodes: Resource<CsiAddonsNode> = {
  group,
  version,
  plural: 'csiaddonsnodes',
  kind: 'CSIAddonsNode',
  namespaced: true,
};

/** Where kubelets write under which id each CSI driver knows their node: a JSON object, by driver. */
const nodeIdsAnnotation = 'csi.volume.kubernetes.io/nodeid';

/** Read once: all nodes are asked for each driver that has ids of its own. */
const knownIds = new WeakMap<Node['metadata'], object>();

/** Under which id a CSI driver knows the node: what its kubelet says, or else its name, as most drivers have it. */
export function nodeIdOf({ metadata }: Pick<Node, 'metadata'>, driver: string): string {
  const ids = knownIds.get(metadata) ?? idsIn(metadata.annotations?.[nodeIdsAnnotation]);
  knownIds.set(metadata, ids);
  const id: unknown = Object.hasOwn(ids, driver) ? Reflect.get(ids, driver) : undefined;
  return typeof id === 'string' && id !== '' ? id : metadata.name;
}

function idsIn(annotation = '{}'): object {
  try {
    const ids: unknown = JSON.parse(annotation);
    return typeof ids === 'object' && ids !== null ? ids : {};
  } catch {
    return {};
  }
}

/** By which addresses its storage knows the node that a side-car is on; empty as long as it has said nothing. */
export function storageClientsIn({ spec, status }: CsiAddonsNode): readonly StorageClient[] {
  const { name: driver, nodeID: nodeId } = spec?.driver ?? {};
  if (driver === undefined || nodeId === undefined) return [];
  return (status?.networkFenceClientStatus ?? []).flatMap(({ networkFenceClassName, ClientDetails = [] }) => {
    const cidrs = [...new Set(ClientDetails.flatMap((client) => client.cidrs ?? []))].sort();
    return networkFenceClassName === undefined || cidrs.length === 0
      ? []
      : [{ driver, nodeId, networkFenceClass: networkFenceClassName, cidrs }];
  });
}
