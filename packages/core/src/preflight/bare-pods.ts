// Which pods a takeover would destroy for good, since nobody makes them anew: to be known before a node dies. Pure.
import type { Pod } from '../kubernetes/objects.ts';
import { outOfServiceTaint } from '../marks/taints.ts';
import { isBare, isKept, mustGo } from '../pods/affected-pods.ts';
import { toleratesTaint } from '../pods/tolerations.ts';

/** A pod that no controller makes anew, and what a takeover of its node would do to it. */
export interface BarePod {
  /** The pod's namespace. */
  readonly namespace: string;
  /** The pod's name. */
  readonly name: string;
  /** Where it runs. */
  readonly node: string;
  /**
   * - `lost`: it would be deleted, and nobody would make it anew.
   * - `kept`: it would stay, and its Node with it.
   * - `kept-at-a-price`: the same; but since it does not tolerate the out-of-service taint, its Node would not be marked,
   *   and the volumes of the other pods would come free only after Kubernetes' own six minutes.
   */
  readonly fate: 'lost' | 'kept' | 'kept-at-a-price';
}

/** Those that are on a node and have not finished. Static pods are not among them: their kubelet makes them anew. */
export function barePods(pods: readonly Pod[]): readonly BarePod[] {
  return pods.flatMap((pod) => {
    const { namespace = 'default', name } = pod.metadata;
    const node = pod.spec?.nodeName;
    return node !== undefined && mustGo(pod) && isBare(pod)
      ? [{ namespace, name, node, fate: fateOf(pod) }]
      : [];
  });
}

function fateOf(pod: Pod): BarePod['fate'] {
  if (!isKept(pod)) return 'lost';
  return toleratesTaint(pod, outOfServiceTaint) ? 'kept' : 'kept-at-a-price';
}
