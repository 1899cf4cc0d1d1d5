// A Kubernetes Event about a node, as the object that is written: whoever tells something tells it in the same shape.
import type { NodeEvent } from './cluster.ts';

/** Events about cluster-scoped objects live in "default", as the kubelet's and the node controller's own do. */
export const eventNamespace = 'default';

/** As the API server limits it. */
const longestMessage = 1_024;

/** A message that an API server takes. */
export function shortened(message: string): string {
  return message.length <= longestMessage ? message : `${message.slice(0, longestMessage - 3)}...`;
}

/** How often it came about, when, and who says so. */
export interface EventStamp {
  /** RFC 3339, whole seconds. */
  readonly time: string;
  readonly count: number;
  /** The replica, or the person. */
  readonly host: string;
}

export function eventObject(event: NodeEvent, { time, count, host }: EventStamp): object {
  const { name, uid } = event.node;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { generateName: `${name}.`, namespace: eventNamespace },
    involvedObject: { apiVersion: 'v1', kind: 'Node', name, uid },
    type: event.type,
    reason: event.reason,
    message: shortened(event.message),
    source: { component: 'liberator', host },
    firstTimestamp: time,
    lastTimestamp: time,
    count,
  };
}
