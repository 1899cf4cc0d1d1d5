// Whether the release may mark a Node as out of service, which evicts everything that doesn't tolerate that.

import type { Node, Pod } from '../../kubernetes/objects.ts';
import { isOutOfService, outOfServiceTaint } from '../../marks/taints.ts';
import { isKept } from '../../pods/affected-pods.ts';
import { toleratesTaint } from '../../pods/tolerations.ts';
import type { LiveRead } from '../../term/live-read.ts';

/** The pod that people want kept and the mark would evict, if there is one. */
export function keptFromMark(pods: readonly LiveRead<Pod>[]): Pod | undefined {
  return pods.find(({ object }) => isKept(object) && !toleratesTaint(object, outOfServiceTaint))?.object;
}

/** Whether a mark on this Node would be ours: there is none, and nothing on it stands against one. */
export function wouldMark(node: Node, pods: readonly LiveRead<Pod>[]): boolean {
  return !isOutOfService(node.spec?.taints) && keptFromMark(pods) === undefined;
}
