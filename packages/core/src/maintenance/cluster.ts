// The port through which people's maintenance reads and changes the cluster; the Kubernetes room implements it.
import type { KubernetesError } from '../kubernetes/errors.ts';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  StatefulSet,
} from '../kubernetes/objects.ts';
import type { WriteOutcome } from '../takeover/cluster.ts';

/** What maintenance may change of a Node; what is absent stays as it is. */
export interface NodeChange {
  /** `true` cordons, `false` uncordons. */
  readonly unschedulable: boolean;
  /** The text of the maintenance annotation; null takes it off. Absent: stays. */
  readonly maintenance?: string | null;
}

/** What the API server said to an eviction. */
export type EvictionAnswer =
  | { readonly outcome: 'evicted' }
  /** There is no such pod any more, or another one has its name. */
  | { readonly outcome: 'gone' }
  /** A PodDisruptionBudget says no for now. */
  | {
      readonly outcome: 'refused';
      /** Names of the budgets that cover the pod; empty when they could not be told. */
      readonly budgets: readonly string[];
      /** The server's own words. */
      readonly why: string;
      readonly retryAfterMs: number;
    }
  /**
   * Later it may well be otherwise: the server has too much to do, the pod changed at this very moment, or its namespace
   * is being deleted, which will have it deleted too. Says nothing about budgets.
   */
  | {
      readonly outcome: 'busy';
      /** The server's own words. */
      readonly why: string;
      readonly retryAfterMs: number;
    }
  /** Something forbids it: an admission policy, a webhook, or a permission that is missing. */
  | {
      readonly outcome: 'denied';
      /** The server's own words. */
      readonly why: string;
      /** As it came. */
      readonly error: KubernetesError;
    };

/**
 * The cluster as maintenance sees it. Reads are live, never from a cache.
 *
 * No method takes a LeaderTerm, and that is the difference from TakeoverCluster: maintenance is the act of a human, with
 * that human's credentials, and the API server's judgement on them is all that is asked. An agent must never hold one of
 * these: its own role does not allow what this does.
 *
 * Every method may throw KubernetesError, TransportError, RequestTimeoutError or RequestAbortedError, the latter when
 * `signal` aborts.
 */
export interface MaintenanceCluster {
  /** Undefined when there is no Node of that name. */
  readNode(name: string, signal?: AbortSignal): Promise<Node | undefined>;
  /** All pods bound to the node, of all namespaces. */
  /** Every pod that is bound to the node, whatever its phase. */
  listPodsOn(node: string, signal?: AbortSignal): Promise<readonly Pod[]>;
  /** Undefined when there is no such pod. */
  /** Whatever has this name now; undefined when nothing has. So do the others. */
  readPod(namespace: string, name: string, signal?: AbortSignal): Promise<Pod | undefined>;
  /** Undefined when there is no such claim. */
  /** A claim of a pod. */
  readClaim(
    namespace: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<PersistentVolumeClaim | undefined>;
  /** Undefined when there is no such volume. */
  /** The volume that a claim is bound to. */
  readVolume(name: string, signal?: AbortSignal): Promise<PersistentVolume | undefined>;
  /** Undefined when there is no such StatefulSet. */
  /** Whether it still wants a pod that is gone. */
  readStatefulSet(namespace: string, name: string, signal?: AbortSignal): Promise<StatefulSet | undefined>;
  /** All PodDisruptionBudgets of a namespace. */
  /** Those that a refusal may have come from. */
  listBudgets(namespace: string, signal?: AbortSignal): Promise<readonly PodDisruptionBudget[]>;

  /** Conditional on the uid and the resourceVersion of `node`. */
  changeNode(node: Node, change: NodeChange, signal?: AbortSignal): Promise<WriteOutcome>;
  /**
   * Asks for the eviction of this very pod, conditional on its uid. Disruption budgets are the server's to enforce.
   *
   * @param options - `gracePeriodSeconds` absent: what the pod itself asks for.
   */
  evict(
    pod: { readonly namespace: string; readonly name: string; readonly uid: string },
    options: { readonly gracePeriodSeconds?: number; readonly signal?: AbortSignal },
  ): Promise<EvictionAnswer>;
}
