// Asks the API server itself whether a node that is being taken over has shown any sign of life since.

import { renewTimeOf } from '../evidence/renew-time.ts';
import type { Node } from '../kubernetes/objects.ts';
import type { LiveRead } from '../term/live-read.ts';
import type { StepContext, StepResult } from './step.ts';

export type LiveNode =
  | { readonly state: 'still-dead'; readonly node: LiveRead<Node> }
  /** There is no Node of that name. Its pods may still be there, and its machine may run. */
  | { readonly state: 'gone'; readonly detail: string }
  | {
      /** It lives, or a new Node has its name and with it all pods that are bound to that name. */
      readonly state: 'alive';
      /** By what: `replaced` by a Node of another uid, which says nothing about the machine of before. */
      readonly sign: 'renewed' | 'ready' | 'booted' | 'witnessed' | 'replaced';
      readonly detail: string;
    };

/**
 * Reads the Node and its Lease live. The Lease's `renewTime` must be the very one on record: a single renewal since
 * then is life, of a Node that was deleted too, whose kubelet goes on renewing. The Ready condition can't tell where there is a
 * Lease, since it lags behind by most of a minute.
 */
export async function readLiveNode(context: StepContext): Promise<LiveNode> {
  const at = context.clock.now();
  const live = await look(context);
  context.looks.sawNode(live.state === 'still-dead' ? live.node : undefined, at);
  return live;
}

/**
 * The same for what harms nobody: the look that was made a moment ago counts still, unless the watch caches know better by
 * now.
 */
export async function readNodeUnlessSeen(context: StepContext): Promise<LiveNode> {
  const seen = context.looks.deadNode;
  if (seen === undefined || context.lifeSign() !== undefined) return readLiveNode(context);
  return { state: 'still-dead', node: seen.what };
}

async function look(context: StepContext): Promise<LiveNode> {
  const { term, cluster, record } = context;
  // Lease first: a renewal between the two reads then shows in neither, and the conditional write that follows fails
  // only if the Node changed. Asking the cache too, last of all, closes most of that gap.
  const lease = await cluster.readNodeLease(term, record.node.name);
  const node = await cluster.readNode(term, record.node.name);
  // Before the Lease is judged: by now it is the one of the new Node.
  if (node !== undefined && node.object.metadata.uid !== record.node.uid) {
    return { state: 'alive', sign: 'replaced', detail: 'a new Node has taken its name' };
  }
  const renewTime = renewTimeOf(lease);
  // A Lease without a time in it says nothing.
  if (renewTime !== undefined && renewTime !== record.lastHeartbeat) {
    return { state: 'alive', sign: 'renewed', detail: `its Lease was renewed at ${renewTime}` };
  }
  if (node === undefined) return { state: 'gone', detail: 'the Node no longer exists' };
  const ready = node.object.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  // Without a Lease, death was told by Kubernetes' word alone, and so is life. One that hung was called Unknown.
  if ((record.lastHeartbeat === '' || record.hung === true) && ready === 'True') {
    return { state: 'alive', sign: 'ready', detail: 'it is Ready again' };
  }
  const bootId = node.object.status?.nodeInfo?.bootID ?? '';
  if (bootId !== '' && record.node.bootId !== '' && bootId !== record.node.bootId) {
    return { state: 'alive', sign: 'booted', detail: 'it has booted again' };
  }
  const sign = context.lifeSign();
  return sign === undefined
    ? { state: 'still-dead', node }
    : { state: 'alive', sign: 'witnessed', detail: sign };
}

/** How a takeover that has not released anything ends when its node turns out to live, or to be another one by now. */
export function letGoOf(live: Extract<LiveNode, { state: 'alive' }>): StepResult {
  return { outcome: live.sign === 'replaced' ? 'overtaken' : 'undo', detail: live.detail };
}
