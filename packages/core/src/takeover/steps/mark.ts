// Whether the release may mark a Node as out of service, which evicts everything that doesn't tolerate that.

import type { Pod } from '../../kubernetes/objects.ts';
import { outOfServiceTaint } from '../../marks/taints.ts';
import { isKept } from '../../pods/affected-pods.ts';
import { toleratesTaint } from '../../pods/tolerations.ts';
import type { LiveRead } from '../../term/live-read.ts';

/** The pod that people want kept and the mark would evict, if there is one. */
export function keptFromMark(pods: readonly LiveRead<Pod>[]): Pod | undefined {
  return pods.find(({ object }) => isKept(object) && !toleratesTaint(object, outOfServiceTaint))?.object;
}
