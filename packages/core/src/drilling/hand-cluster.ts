// What somebody reads and writes who fences by hand: with that person's credentials, without a term, and nothing but an Event.
import { KubernetesClient } from '../kubernetes/client.ts';
import { isNotFound } from '../kubernetes/errors.ts';
import type { Node, Pod } from '../kubernetes/objects.ts';
import { events, nodes, pods } from '../kubernetes/resources.ts';
import type { Transport } from '../kubernetes/transport.ts';
import type { NodeEvent } from '../takeover/cluster.ts';
import { eventNamespace, eventObject } from '../takeover/event-object.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../time/clock.ts';

/** The cluster of whoever fences a node by hand. */
export interface HandCluster {
  /** Undefined when there is no such Node. */
  readNode(name: string): Promise<Node | undefined>;
  /** All nodes, read live. */
  listNodes(): Promise<readonly Node[]>;
  /** All pods that are bound to a node, read live. */
  listPodsOn(node: string): Promise<readonly Pod[]>;
  /** Tells in somebody's name, as an Event on the Node, that its machine is switched by hand. */
  tellOfSwitch(act: 'fence' | 'unfence', node: Node, message: string, by: string): Promise<void>;
}

/** Options of {@link connectHands}. */
export interface HandConnectOptions {
  /** Carries the credentials of whoever acts. Stays the caller's to close. */
  readonly transport: Transport;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Draws jitter. Default {@link systemRandom}. */
  readonly random?: Random;
}

/** The Kubernetes side of `liberator fence` over the given transport. */
export function connectHands(options: HandConnectOptions): HandCluster {
  const { transport, clock = systemClock, random = systemRandom } = options;
  const client = new KubernetesClient({ transport, clock, random });
  const limits = { timeoutMs: 10_000 } as const;
  return {
    async readNode(name) {
      try {
        return await client.get(nodes, { name }, limits);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async listNodes() {
      return (await client.list(nodes, limits)).items;
    },
    async listPodsOn(node) {
      return (await client.list(pods, { fieldSelector: `spec.nodeName=${node}`, ...limits })).items;
    },
    async tellOfSwitch(act, node, message, by) {
      const event = eventOf(act, node, message);
      const time = new Date(clock.wallTime()).toISOString().replace(/\.\d+Z$/, 'Z');
      await client.request({
        resource: events,
        namespace: eventNamespace,
        verb: 'create',
        ...limits,
        body: eventObject(event, { time, count: 1, host: by }),
      });
    },
  };
}

function eventOf(act: 'fence' | 'unfence', { metadata }: Node, message: string): NodeEvent {
  const node = { name: metadata.name, uid: metadata.uid };
  return act === 'fence'
    ? { type: 'Warning', reason: 'FencedByHand', message, node }
    : { type: 'Normal', reason: 'UnfencedByHand', message, node };
}
