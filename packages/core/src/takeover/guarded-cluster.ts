// The only way to change a cluster: every write takes a term, checks it right before the bytes leave, is conditional on
// a live read of that same term, and may not last longer than the term.

import type { KubernetesClient, RequestOptions } from '../kubernetes/client.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kubernetes/errors.ts';
import type {
  ConfigMap,
  KubernetesObject,
  Lease,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
  Taint,
  VolumeAttachment,
} from '../kubernetes/objects.ts';
import {
  configMaps,
  events,
  leases,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type Resource,
  statefulSets,
  volumeAttachments,
} from '../kubernetes/resources.ts';
import { epochAnnotation } from '../marks/taints.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import { asLiveRead, type LiveRead } from '../term/live-read.ts';
import { limitsOf, writeInTerm } from '../term/write-in-term.ts';
import type { Clock } from '../time/clock.ts';
import type {
  EventWrite,
  NodeEvent,
  PublishedEvent,
  RecordListing,
  StoredRecord,
  TakeoverCluster,
  UnreadableRecord,
  WriteOutcome,
} from './cluster.ts';
import { type CustomResources, customResourcesOf } from './custom-resources.ts';
import { eventNamespace, eventObject, shortened } from './event-object.ts';
import type { Keepsake } from './keepsake.ts';
import type { TakeoverRecord } from './record.ts';
import { recordName } from './records/names.ts';
import { decodeRecord, encodeRecord, listingOf, recordSelector, stored } from './records/takeover-records.ts';
import { SharedRead } from './shared-read.ts';

const nodeLeaseNamespace = 'kube-node-lease';
/** As the StatefulSet controller labels each of its pods. */
const podNameLabel = 'statefulset.kubernetes.io/pod-name';
/** A selector is part of the address, which servers and proxies bear up to some kilobytes. */
const longestSelection = 50;

/** Attachments are small, and of all nodes in one list. */
const attachmentsPage = 500;

const mergePatch = 'application/merge-patch+json';

export interface GuardedClusterOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  /** Where the records live: the agent's own namespace. */
  readonly namespace: string;
  /** Who publishes Events; the agent's identity. */
  readonly identity: string;
}

/** {@link TakeoverCluster} on a real API server, or on anything that speaks its protocol. */
export class GuardedCluster implements TakeoverCluster {
  readonly #client: KubernetesClient;
  readonly #clock: Clock;
  readonly #namespace: string;
  readonly #identity: string;
  readonly customResources: CustomResources;
  /** By term: in a storm every takeover asks for them, and there is only one list, of all nodes. */
  readonly #attachments = new WeakMap<LeaderTerm, SharedRead<readonly VolumeAttachment[]>>();

  constructor(options: GuardedClusterOptions) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#namespace = options.namespace;
    this.#identity = options.identity;
    this.customResources = customResourcesOf(options.client, options.clock);
  }

  async readNode(term: LeaderTerm, name: string): Promise<LiveRead<Node> | undefined> {
    const node = await this.#read(term, nodes, { name });
    return node && asLiveRead(node, term);
  }

  readNodeLease(term: LeaderTerm, node: string): Promise<Lease | undefined> {
    return this.#read(term, leases, { namespace: nodeLeaseNamespace, name: node });
  }

  async listPodsOn(term: LeaderTerm, node: string): Promise<readonly LiveRead<Pod>[]> {
    const fieldSelector = `spec.nodeName=${node}`;
    const { items } = await this.#client.list(pods, { fieldSelector, ...limitsOf(term) });
    return items.map((pod) => asLiveRead(pod, term));
  }

  readPod(term: LeaderTerm, namespace: string, name: string): Promise<Pod | undefined> {
    return this.#read(term, pods, { namespace, name });
  }

  async readPods(term: LeaderTerm, namespace: string, names: readonly string[]): Promise<readonly Pod[]> {
    if (names.length === 0) return [];
    const wanted = new Set(names);
    const found = new Map<string, Pod>();
    for (let first = 0; names.length > 1 && first < names.length; first += longestSelection) {
      const some = names.slice(first, first + longestSelection);
      const labelSelector = `${podNameLabel} in (${some.join(',')})`;
      const { items } = await this.#client.list(pods, { namespace, labelSelector, ...limitsOf(term) });
      for (const pod of items) if (wanted.has(pod.metadata.name)) found.set(pod.metadata.name, pod);
    }
    // Whoever else makes pods by these names labels them otherwise.
    for (const name of wanted) {
      const pod = found.get(name) ?? (await this.readPod(term, namespace, name));
      if (pod !== undefined) found.set(name, pod);
    }
    return [...found.values()];
  }

  readClaim(term: LeaderTerm, namespace: string, name: string): Promise<PersistentVolumeClaim | undefined> {
    return this.#read(term, persistentVolumeClaims, { namespace, name });
  }

  readVolume(term: LeaderTerm, name: string): Promise<PersistentVolume | undefined> {
    return this.#read(term, persistentVolumes, { name });
  }

  readStatefulSet(term: LeaderTerm, namespace: string, name: string): Promise<StatefulSet | undefined> {
    return this.#read(term, statefulSets, { namespace, name });
  }

  readNamespace(term: LeaderTerm, name: string): Promise<KubernetesObject | undefined> {
    return this.#read(term, namespaces, { name });
  }

  async listAttachmentsOn(term: LeaderTerm, node: string): Promise<readonly VolumeAttachment[]> {
    const shared = this.#attachments.get(term) ?? new SharedRead(() => this.#listAttachments(term));
    this.#attachments.set(term, shared);
    return (await shared.ask()).filter(({ spec }) => spec?.nodeName === node);
  }

  setTaints(term: LeaderTerm, node: LiveRead<Node>, taints: readonly Taint[]): Promise<WriteOutcome> {
    return this.#replaceTaints(term, node, taints, String(term.epoch));
  }

  clearTaints(
    term: LeaderTerm,
    node: LiveRead<Node>,
    taints: readonly Taint[],
    annotations: readonly string[] = [],
  ): Promise<WriteOutcome> {
    return this.#replaceTaints(term, node, taints, null, annotations);
  }

  addToNode(term: LeaderTerm, node: LiveRead<Node>, keepsake: Keepsake): Promise<WriteOutcome> {
    const { labels, annotations, taints, unschedulable } = keepsake;
    const spec = {
      taints: [...(node.object.spec?.taints ?? []), ...taints],
      ...(unschedulable && { unschedulable }),
    };
    return this.#outcome(term, node, {
      verb: 'patch',
      resource: nodes,
      contentType: mergePatch,
      body: { metadata: { ...preconditionsOf(node), labels, annotations }, spec },
    });
  }

  deletePod(term: LeaderTerm, pod: LiveRead<Pod>): Promise<WriteOutcome> {
    return this.#outcome(term, pod, {
      verb: 'delete',
      resource: pods,
      body: { gracePeriodSeconds: 0, preconditions: preconditionsOf(pod) },
    });
  }

  async deleteNode(term: LeaderTerm, node: LiveRead<Node>): Promise<WriteOutcome | 'held'> {
    const stamp = node.object.metadata.annotations?.[epochAnnotation];
    if (stamp !== String(term.epoch)) {
      throw new TypeError(`expected a Node stamped with epoch ${term.epoch}, found ${stamp ?? 'no stamp'}`);
    }
    let left: Partial<Node> | undefined;
    const outcome = await this.#outcome<Node>(
      term,
      node,
      { verb: 'delete', resource: nodes, body: { preconditions: preconditionsOf(node) } },
      (answer) => {
        left = answer;
      },
    );
    // Of what is gone the server says that it was a success; what a finalizer holds it shows as it is now.
    return outcome === 'written' && (left?.metadata?.finalizers ?? []).length > 0 ? 'held' : outcome;
  }

  async listRecords(term: LeaderTerm): Promise<RecordListing> {
    const { items } = await this.#client.list(configMaps, {
      namespace: this.#namespace,
      labelSelector: recordSelector,
      ...limitsOf(term),
    });
    return listingOf(items);
  }

  async readRecord(term: LeaderTerm, id: string): Promise<StoredRecord | undefined> {
    const read = await this.#readUnder(term, id);
    return read !== undefined && 'record' in read ? read : undefined;
  }

  async readUnreadable(term: LeaderTerm, id: string): Promise<UnreadableRecord | undefined> {
    const read = await this.#readUnder(term, id);
    return read !== undefined && !('record' in read) ? read : undefined;
  }

  recordAddress(id: string): { readonly namespace: string; readonly name: string } {
    return { namespace: this.#namespace, name: recordName(id) };
  }

  async createRecord(term: LeaderTerm, record: TakeoverRecord): Promise<StoredRecord | 'exists'> {
    try {
      const created = await this.#write<ConfigMap>(term, {
        verb: 'create',
        resource: configMaps,
        namespace: this.#namespace,
        body: encodeRecord(this.#namespace, record),
      });
      return stored(record, created);
    } catch (error) {
      if (isAlreadyExists(error)) return 'exists';
      throw error;
    }
  }

  async updateRecord(
    term: LeaderTerm,
    seen: StoredRecord,
    record: TakeoverRecord,
  ): Promise<StoredRecord | 'conflict' | 'gone'> {
    try {
      const updated = await this.#write<ConfigMap>(term, {
        verb: 'patch',
        resource: configMaps,
        namespace: this.#namespace,
        name: recordName(record.id),
        contentType: mergePatch,
        body: encodeRecord(this.#namespace, record, seen.resourceVersion),
      });
      return stored(record, updated);
    } catch (error) {
      if (isConflict(error)) return 'conflict';
      if (isNotFound(error)) return 'gone';
      throw error;
    }
  }

  async deleteRecord(term: LeaderTerm, seen: StoredRecord): Promise<WriteOutcome> {
    return outcomeOf(
      this.#write(term, {
        verb: 'delete',
        resource: configMaps,
        namespace: this.#namespace,
        name: recordName(seen.record.id),
        body: { preconditions: { resourceVersion: seen.resourceVersion } },
      }),
    );
  }

  async publishEvent(
    term: LeaderTerm,
    event: NodeEvent,
    { at = new Date(this.#clock.wallTime()).toISOString(), count = 1, earlier }: EventWrite = {},
  ): Promise<PublishedEvent> {
    const time = at.replace(/\.\d+Z$/, 'Z');
    const place = { resource: events, namespace: eventNamespace } as const;
    if (earlier !== undefined) {
      const body = { message: shortened(event.message), count, lastTimestamp: time };
      const patch = { ...place, verb: 'patch', name: earlier.name, contentType: mergePatch, body } as const;
      // An API server forgets Events after a while, an hour by default.
      if ((await outcomeOf(this.#write(term, patch))) === 'written') return earlier;
    }
    const { metadata } = await this.#write<KubernetesObject>(term, {
      ...place,
      verb: 'create',
      body: eventObject(event, { time, count, host: this.#identity }),
    });
    return { name: metadata.name };
  }

  async #readUnder(term: LeaderTerm, id: string): Promise<StoredRecord | UnreadableRecord | undefined> {
    const at = { namespace: this.#namespace, name: recordName(id) };
    const configMap = await this.#read(term, configMaps, at);
    return configMap && decodeRecord(configMap);
  }

  async #read<T>(
    term: LeaderTerm,
    resource: Resource<T>,
    at: { namespace?: string; name: string },
  ): Promise<T | undefined> {
    try {
      return await this.#client.get(resource, at, limitsOf(term));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #replaceTaints(
    term: LeaderTerm,
    node: LiveRead<Node>,
    taints: readonly Taint[],
    stamp: string | null,
    without: readonly string[] = [],
  ): Promise<WriteOutcome> {
    const takenOff = Object.fromEntries(without.map((name) => [name, null]));
    return this.#outcome(term, node, {
      verb: 'patch',
      resource: nodes,
      contentType: mergePatch,
      // The version makes replacing the whole list safe: nobody's taint can be lost in between.
      body: {
        metadata: { ...preconditionsOf(node), annotations: { ...takenOff, [epochAnnotation]: stamp } },
        spec: { taints },
      },
    });
  }

  #outcome<T extends KubernetesObject>(
    term: LeaderTerm,
    live: LiveRead<T>,
    request: Pick<RequestOptions, 'verb' | 'resource' | 'body' | 'contentType'>,
    onAnswer: (answer: Partial<T> | undefined) => void = () => {},
  ): Promise<WriteOutcome> {
    if (live.term !== term) {
      throw new TypeError(
        `expected an object read in term ${term.epoch}, found one of term ${live.term.epoch}`,
      );
    }
    const { namespace, name } = live.object.metadata;
    return outcomeOf(
      this.#write<Partial<T> | undefined>(term, { ...request, namespace, name }).then(onAnswer),
    );
  }

  async #listAttachments(term: LeaderTerm): Promise<readonly VolumeAttachment[]> {
    const options = { pageSize: attachmentsPage, ...limitsOf(term) };
    return (await this.#client.list(volumeAttachments, options)).items;
  }

  #write<T>(term: LeaderTerm, request: RequestOptions): Promise<T> {
    return writeInTerm(this.#client, term, request);
  }
}

function preconditionsOf({ object }: LiveRead<KubernetesObject>): { uid: string; resourceVersion: string } {
  return { uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion };
}

async function outcomeOf(write: Promise<unknown>): Promise<WriteOutcome> {
  try {
    await write;
    return 'written';
  } catch (error) {
    if (isConflict(error)) return 'conflict';
    if (isNotFound(error)) return 'gone';
    throw error;
  }
}
