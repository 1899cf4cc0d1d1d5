// Kubernetes objects as they travel on the wire, narrowed to the fields this library reads. Timestamps stay strings:
// the server wrote them, and nothing here may decide by them.

/** What an object belongs to. Fields as in Kubernetes' API. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/** What every object carries. Fields as in Kubernetes' API. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  /** Opaque. Compared for equality only. */
  readonly resourceVersion: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  /** 0: nothing that a further DELETE could hasten. */
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

/** Any object. Fields as in Kubernetes' API. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

/** What a taint does to pods that don't tolerate it. */
export type TaintEffect = 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';

/** Keeps pods away from a node. Fields as in Kubernetes' API. */
export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: TaintEffect;
  readonly timeAdded?: string;
}

/** One thing that is said of an object's state. Fields as in Kubernetes' API. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly lastHeartbeatTime?: string;
  readonly lastTransitionTime?: string;
}

/** One address of a node. Fields as in Kubernetes' API. */
export interface NodeAddress {
  readonly type: string;
  readonly address: string;
}

/** A node, as far as it is used here. Fields as in Kubernetes' API. */
export interface Node extends KubernetesObject {
  readonly spec?: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly Taint[];
    readonly providerID?: string;
  };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly addresses?: readonly NodeAddress[];
    readonly daemonEndpoints?: { readonly kubeletEndpoint?: { readonly Port?: number } };
    readonly nodeInfo?: {
      readonly bootID?: string;
      readonly machineID?: string;
      readonly systemUUID?: string;
    };
    /** What pods may ask for: `cpu`, `memory`, `pods`, each a quantity such as `250m` or `1Gi`. */
    readonly allocatable?: Readonly<Record<string, string>>;
  };
}

/** One condition on labels. Which operators there are depends on where it stands. Fields as in Kubernetes' API. */
export interface SelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** Requirements that must all be met; a term without any matches nothing. Fields as in Kubernetes' API. */
export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly SelectorRequirement[];
  readonly matchFields?: readonly SelectorRequirement[];
}

/** Which labels are meant. Fields as in Kubernetes' API. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly SelectorRequirement[];
}

/** A taint that a pod puts up with. Fields as in Kubernetes' API. */
export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

/** Pods beside which, or apart from which, a pod wants to be. Fields as in Kubernetes' API. */
export interface PodAffinityTerm {
  readonly labelSelector?: LabelSelector;
  readonly namespaces?: readonly string[];
  readonly topologyKey: string;
}

/** One container of a pod. Fields as in Kubernetes' API. */
export interface Container {
  readonly name: string;
  readonly volumeMounts?: readonly { readonly name: string; readonly readOnly?: boolean }[];
  readonly volumeDevices?: readonly { readonly name: string }[];
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
}

/** A Lease: a node's heartbeat, or an election. Fields as in Kubernetes' API. */
export interface Lease extends KubernetesObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly leaseTransitions?: number;
    /** MicroTime: exactly six fraction digits. */
    readonly acquireTime?: string;
    readonly renewTime?: string;
  };
}

/** One volume of a pod. Fields as in Kubernetes' API. */
export interface Volume {
  readonly name: string;
  readonly persistentVolumeClaim?: { readonly claimName: string; readonly readOnly?: boolean };
  readonly emptyDir?: object;
  readonly hostPath?: { readonly path: string };
  readonly configMap?: object;
  readonly secret?: object;
  readonly projected?: object;
  readonly downwardAPI?: object;
  readonly image?: object;
  readonly ephemeral?: object;
  readonly csi?: { readonly driver: string; readonly readOnly?: boolean };
  readonly nfs?: { readonly readOnly?: boolean };
}

/** A pod, as far as it is used here. Fields as in Kubernetes' API. */
export interface Pod extends KubernetesObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly volumes?: readonly Volume[];
    readonly terminationGracePeriodSeconds?: number;
    readonly serviceAccountName?: string;
    readonly containers?: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly ephemeralContainers?: readonly Container[];
    readonly nodeSelector?: Readonly<Record<string, string>>;
    readonly tolerations?: readonly Toleration[];
    readonly affinity?: {
      readonly nodeAffinity?: {
        readonly requiredDuringSchedulingIgnoredDuringExecution?: {
          readonly nodeSelectorTerms?: readonly NodeSelectorTerm[];
        };
      };
      readonly podAntiAffinity?: {
        readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[];
      };
    };
  };
  readonly status?: {
    readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
    readonly conditions?: readonly Condition[];
  };
}

/** A claim, as far as it is used here. Fields as in Kubernetes' API. */
export interface PersistentVolumeClaim extends KubernetesObject {
  readonly spec?: { readonly volumeName?: string };
}

/** A volume, as far as it is used here. Fields as in Kubernetes' API. */
export interface PersistentVolume extends KubernetesObject {
  readonly spec?: {
    readonly nodeAffinity?: {
      readonly required?: { readonly nodeSelectorTerms?: readonly NodeSelectorTerm[] };
    };
    readonly hostPath?: { readonly path: string };
    readonly local?: { readonly path: string };
    readonly nfs?: object;
    readonly csi?: { readonly driver: string; readonly readOnly?: boolean };
    readonly accessModes?: readonly string[];
  };
}

/** That a volume is to be, or is, attached to a node. Fields as in Kubernetes' API. */
export interface VolumeAttachment extends KubernetesObject {
  readonly spec?: {
    readonly attacher?: string;
    readonly nodeName?: string;
    readonly source?: { readonly persistentVolumeName?: string };
  };
}

/** A ConfigMap. Fields as in Kubernetes' API. */
export interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** The API server's answer when something did not work. Fields as in Kubernetes' API. */
export interface Status {
  readonly kind: 'Status';
  readonly status?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly {
      readonly reason?: string;
      readonly field?: string;
      readonly message?: string;
    }[];
  };
}

/** A StatefulSet, as far as it is used here. Fields as in Kubernetes' API. */
export interface StatefulSet extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    /** Where the numbers of its pods begin; 0 when absent. */
    readonly ordinals?: { readonly start?: number };
  };
  readonly status?: { readonly replicas?: number; readonly readyReplicas?: number };
}

/** How many pods of a selection must stay healthy when somebody evicts. Fields as in Kubernetes' API. */
export interface PodDisruptionBudget extends KubernetesObject {
  readonly spec?: {
    /** Absent: selects nothing. Empty: every pod of the namespace. */
    readonly selector?: {
      readonly matchLabels?: Readonly<Record<string, string>>;
      readonly matchExpressions?: readonly {
        readonly key: string;
        readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
        readonly values?: readonly string[];
      }[];
    };
  };
  readonly status?: {
    readonly disruptionsAllowed?: number;
    readonly currentHealthy?: number;
    readonly desiredHealthy?: number;
    readonly expectedPods?: number;
  };
}

/** A core/v1 Event: what `kubectl describe` shows below an object. Fields as in Kubernetes' API. */
export interface CoreEvent extends KubernetesObject {
  readonly involvedObject: {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly uid?: string;
  };
  readonly reason?: string;
  readonly message?: string;
  readonly type?: string;
  readonly count?: number;
  readonly firstTimestamp?: string;
  readonly lastTimestamp?: string;
}
