// Watches the cluster as anybody could, with core's own reflectors, and notes in the journal what changes.
import {
  type CacheObject,
  type Clock,
  type ConfigMap,
  configMaps,
  type KubernetesReader,
  leases,
  nodes,
  type Pod,
  pods,
  Reflector,
  type ReflectorHandlers,
  type Resource,
  type Selection,
  systemClock,
  type TakeoverRecord,
  type VolumeAttachment,
  volumeAttachments,
} from '@liberator/core';
import { agentNamespace } from '../cluster/demo-cluster.ts';
import { databaseNamespace, databasePod } from '../database/database.ts';
import type { Journal } from '../observing/journal.ts';
import type { DatabasePod } from '../observing/observation.ts';

/** Records of takeovers are ConfigMaps with this label. */
const recordLabel = 'liberator.dev/takeover';

/** An attachment exists from the moment at which it is wanted; its status says when it has come about. */
type Attachment = VolumeAttachment & { readonly status?: { readonly attached?: boolean } };
const attachments = volumeAttachments as Resource<Attachment>;

/** Starts watching at once; disposing of it ends that. */
export class ClusterWatch implements AsyncDisposable {
  readonly #reader: KubernetesReader;
  readonly #clock: Clock;
  readonly #reflectors: { stop(): Promise<void> }[] = [];

  constructor(reader: KubernetesReader, journal: Journal, clock: Clock = systemClock) {
    this.#reader = reader;
    this.#clock = clock;
    this.#watch(
      nodes,
      {},
      {
        seen: (node) => {
          const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
          if (ready) journal.note({ kind: 'node-ready', node: node.metadata.name, status: ready.status });
        },
        gone: (node) => journal.note({ kind: 'node-deleted', node: node.metadata.name }),
      },
    );
    this.#watch(
      leases,
      { namespace: 'kube-node-lease' },
      { seen: (lease) => journal.note({ kind: 'heartbeat', node: lease.metadata.name }) },
    );
    this.#watch(
      pods,
      { namespace: databaseNamespace, fieldSelector: `metadata.name=${databasePod}` },
      {
        seen: (pod) => journal.note({ kind: 'pod', pod: describePod(pod) }),
        gone: (pod) => journal.note({ kind: 'pod-gone', uid: pod.metadata.uid }),
      },
    );
    this.#watch(
      attachments,
      {},
      {
        seen: (attachment) => {
          const place = placeOf(attachment);
          if (place !== undefined && attachment.status?.attached === true) {
            journal.note({ kind: 'attached', ...place });
          }
        },
        gone: (attachment) => {
          const place = placeOf(attachment);
          if (place !== undefined) journal.note({ kind: 'detached', ...place });
        },
      },
    );
    this.#watch(
      configMaps,
      { namespace: agentNamespace, labelSelector: recordLabel },
      {
        seen: (configMap) => {
          const record = recordIn(configMap);
          if (record !== undefined) journal.note({ kind: 'record', record });
        },
      },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }

  #watch<T extends CacheObject>(
    resource: Resource<T>,
    selection: Selection,
    on: { seen: (object: T) => void; gone?: (object: T) => void },
  ): void {
    const { seen, gone } = on;
    const handlers: ReflectorHandlers<T> = {
      onAdded: seen,
      onUpdated: (_previous, current) => seen(current),
      ...(gone === undefined ? {} : { onDeleted: gone }),
      // The agents tell when the API server is away; the demo's own watches just come back.
      onError: () => undefined,
    };
    const reflector = new Reflector({
      ...selection,
      reader: this.#reader,
      clock: this.#clock,
      resource,
      project: (object: T) => object,
      handlers,
    });
    this.#reflectors.push(reflector);
    reflector.start();
  }
}

function describePod({ metadata, spec, status }: Pod): DatabasePod {
  const node = spec?.nodeName;
  return {
    uid: metadata.uid,
    ...(node === undefined ? {} : { node }),
    ready: status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false,
    terminating: metadata.deletionTimestamp !== undefined,
  };
}

function placeOf({ spec }: Attachment): { volume: string; node: string } | undefined {
  const volume = spec?.source?.persistentVolumeName;
  const node = spec?.nodeName;
  return volume === undefined || node === undefined ? undefined : { volume, node };
}

function recordIn({ data }: ConfigMap): TakeoverRecord | undefined {
  const text = data?.['record.json'];
  return text === undefined ? undefined : (JSON.parse(text) as TakeoverRecord);
}
