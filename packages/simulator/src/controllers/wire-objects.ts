// The objects of core with the fields that only controllers look at, and which plural holds which of them.
import type {
  Condition,
  Node as CoreNode,
  Pod as CorePod,
  VolumeAttachment as CoreVolumeAttachment,
  KubernetesObject,
  Lease,
  OwnerReference,
  Taint,
} from '@liberator/core';

/** `T` with every field open to writing: what a change is made on before it is stored. */
export type Draft<T> = T extends readonly (infer Item)[]
  ? Draft<Item>[]
  : T extends object
    ? { -readonly [field in keyof T]: Draft<T[field]> }
    : T;

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly SelectorRequirement[];
}

export interface SelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly SelectorRequirement[];
  /** Of a Node's fields only `metadata.name` can be matched. */
  readonly matchFields?: readonly SelectorRequirement[];
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
  readonly tolerationSeconds?: number;
}

interface Container {
  readonly name: string;
  readonly image?: string;
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
}

interface PodAffinityTerm {
  readonly labelSelector?: LabelSelector;
  readonly topologyKey: string;
}

export interface PodSpec {
  readonly nodeName?: string;
  readonly hostname?: string;
  readonly subdomain?: string;
  readonly schedulerName?: string;
  readonly schedulingGates?: readonly object[];
  readonly containers?: readonly Container[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly persistentVolumeClaim?: { readonly claimName: string };
    readonly emptyDir?: object;
  }[];
  readonly tolerations?: readonly Toleration[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
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
  readonly terminationGracePeriodSeconds?: number;
}

export interface ContainerStatus {
  readonly name: string;
  readonly image: string;
  readonly imageID: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: object;
  readonly lastState?: object;
  readonly containerID?: string;
}

export interface Pod extends KubernetesObject {
  readonly metadata: CorePod['metadata'] & { readonly deletionGracePeriodSeconds?: number };
  readonly spec?: PodSpec;
  readonly status?: {
    readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
    readonly conditions?: readonly Condition[];
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly hostIP?: string;
    readonly hostIPs?: readonly { readonly ip: string }[];
    readonly startTime?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly reason?: string;
    readonly message?: string;
  };
}

export interface Node extends KubernetesObject {
  readonly spec?: NonNullable<CoreNode['spec']>;
  readonly status?: CoreNode['status'] & {
    readonly capacity?: Readonly<Record<string, string>>;
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly volumesInUse?: readonly string[];
    readonly volumesAttached?: readonly { readonly name: string; readonly devicePath: string }[];
  };
}

export interface PersistentVolumeClaim extends KubernetesObject {
  readonly spec?: {
    readonly volumeName?: string;
    readonly storageClassName?: string;
    readonly accessModes?: readonly string[];
    readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
  };
  readonly status?: {
    readonly phase?: string;
    readonly accessModes?: readonly string[];
    readonly capacity?: Readonly<Record<string, string>>;
  };
}

export interface PersistentVolume extends KubernetesObject {
  readonly spec?: {
    readonly accessModes?: readonly string[];
    readonly capacity?: Readonly<Record<string, string>>;
    readonly storageClassName?: string;
    readonly persistentVolumeReclaimPolicy?: string;
    readonly claimRef?: ObjectReference;
    readonly csi?: { readonly driver: string; readonly volumeHandle: string };
    readonly nodeAffinity?: {
      readonly required?: { readonly nodeSelectorTerms?: readonly NodeSelectorTerm[] };
    };
  };
  readonly status?: { readonly phase?: string };
}

interface ObjectReference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
}

export interface VolumeAttachment extends KubernetesObject {
  readonly spec?: NonNullable<CoreVolumeAttachment['spec']>;
  readonly status?: { readonly attached?: boolean };
}

export interface StorageClass extends KubernetesObject {
  readonly provisioner?: string;
  readonly reclaimPolicy?: string;
  readonly volumeBindingMode?: string;
}

interface CsiDriver extends KubernetesObject {
  readonly spec?: { readonly attachRequired?: boolean };
}

export interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: PodSpec;
}

/** What all kinds that own pods have in common. */
interface Workload extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly generation?: number };
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: LabelSelector;
    readonly template?: PodTemplate;
  };
}

export interface StatefulSet extends Workload {
  readonly spec?: Workload['spec'] & {
    readonly serviceName?: string;
    readonly podManagementPolicy?: string;
    readonly ordinals?: { readonly start?: number };
    readonly updateStrategy?: {
      readonly type?: string;
      readonly rollingUpdate?: { readonly partition?: number };
    };
    readonly volumeClaimTemplates?: readonly VolumeClaimTemplate[];
  };
  readonly status?: StatefulSetStatus;
}

export interface VolumeClaimTemplate {
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: PersistentVolumeClaim['spec'];
}

interface StatefulSetStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly currentReplicas?: number;
  readonly updatedReplicas?: number;
  readonly currentRevision?: string;
  readonly updateRevision?: string;
  readonly collisionCount?: number;
}

export interface ReplicaSet extends Workload {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly fullyLabeledReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
  };
}

export interface Deployment extends Workload {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly unavailableReplicas?: number;
  };
}

export interface DaemonSet extends Workload {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly desiredNumberScheduled?: number;
    readonly currentNumberScheduled?: number;
    readonly numberReady?: number;
    readonly numberAvailable?: number;
    readonly numberMisscheduled?: number;
    readonly updatedNumberScheduled?: number;
  };
}

export interface PodDisruptionBudget extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly generation?: number };
  readonly spec?: {
    readonly minAvailable?: number | string;
    readonly maxUnavailable?: number | string;
    readonly selector?: LabelSelector;
  };
  readonly status?: {
    readonly currentHealthy?: number;
    readonly desiredHealthy?: number;
    readonly expectedPods?: number;
    readonly disruptionsAllowed?: number;
    readonly observedGeneration?: number;
    /** When the eviction of each was allowed, by name. */
    readonly disruptedPods?: Readonly<Record<string, string>>;
    readonly conditions?: readonly (Condition & { readonly observedGeneration?: number })[];
  };
}

export interface Event extends KubernetesObject {
  readonly involvedObject?: ObjectReference;
  readonly reason?: string;
  readonly message?: string;
  readonly type?: string;
  readonly count?: number;
  readonly firstTimestamp?: string;
  readonly lastTimestamp?: string;
}

interface Namespace extends KubernetesObject {
  readonly spec?: { readonly finalizers?: readonly string[] };
}

/** What each plural holds. */
export interface Kinds {
  readonly nodes: Node;
  readonly pods: Pod;
  readonly leases: Lease;
  readonly events: Event;
  readonly persistentvolumeclaims: PersistentVolumeClaim;
  readonly persistentvolumes: PersistentVolume;
  readonly volumeattachments: VolumeAttachment;
  readonly storageclasses: StorageClass;
  readonly csidrivers: CsiDriver;
  readonly statefulsets: StatefulSet;
  readonly replicasets: ReplicaSet;
  readonly deployments: Deployment;
  readonly daemonsets: DaemonSet;
  readonly poddisruptionbudgets: PodDisruptionBudget;
  readonly namespaces: Namespace;
}

export type { Condition, KubernetesObject, Lease, OwnerReference, Taint };
