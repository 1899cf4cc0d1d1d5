// Asks the storage system to attach volumes where pods need them, and to detach them where it is safe to.
import {
  type AttachableVolume,
  attachableVolume,
  attachableVolumesOf,
  attachmentName,
  isAttached,
} from './attachable-volumes.ts';
import { isFinished, isReady } from './conditions.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import { EventRecorder } from './event-recorder.ts';
import { hasTaint, outOfServiceTaint } from './taints.ts';
import type { Node, Pod, VolumeAttachment } from './wire-objects.ts';
import { WorkQueue } from './work-queue.ts';

const user = 'system:serviceaccount:kube-system:attachdetach-controller';
const managedAnnotation = 'volumes.kubernetes.io/controller-managed-attach-detach';
const everything = 'everything';

/** A volume that some pod needs on some node. */
interface Need {
  readonly volume: AttachableVolume;
  readonly nodeName: string;
  readonly pod: Pod;
}

/**
 * A volume that is in use on a node that doesn't answer stays there for six minutes: nobody knows whether the old pod
 * still writes. The out-of-service taint is somebody's word that it doesn't.
 */
export class AttachDetachController implements Controller {
  readonly #context: ControllerContext;
  readonly #client: ControllerClient;
  readonly #events: EventRecorder;
  readonly #queue: WorkQueue;
  /** Whether the node said that the volume is mounted; kept when the Node is gone. By VolumeAttachment. */
  readonly #mounted = new Map<string, boolean>();
  /** Since when nobody needs it any more. By VolumeAttachment. */
  readonly #unneededSince = new Map<string, number>();
  readonly #ends: (() => void)[] = [];

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#client = new ControllerClient(context.store, user);
    this.#events = new EventRecorder(context, user, 'attachdetach-controller');
    this.#queue = new WorkQueue(context, 'attach-detach', () => this.#reconcile());
  }

  start(): void {
    const look = (): void => this.#queue.add(everything);
    this.#ends.push(
      this.#client.watch('pods', look),
      this.#client.watch('volumeattachments', look),
      this.#client.watch('persistentvolumeclaims', look),
      this.#client.watch('nodes', look),
    );
    look();
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#queue.stop();
  }

  #reconcile(): void {
    const attachments = this.#client
      .list('volumeattachments')
      .filter((one) => one.spec?.nodeName !== undefined);
    const needs = this.#needs();
    for (const attachment of attachments) {
      if (needs.has(idOf(attachment))) this.#unneededSince.delete(attachment.metadata.name);
      else this.#detach(attachment);
    }
    this.#forgetOthers(attachments);
    for (const [id, need] of needs) {
      if (!attachments.some((attachment) => idOf(attachment) === id)) this.#attach(need, attachments);
    }
    this.#reportAttached(attachments);
  }

  /** One entry for each volume and node, by the same key that {@link idOf} gives. */
  #needs(): ReadonlyMap<string, Need> {
    const needs = new Map<string, Need>();
    for (const pod of this.#client.list('pods')) {
      const nodeName = pod.spec?.nodeName;
      if (nodeName === undefined || isFinished(pod)) continue;
      for (const volume of attachableVolumesOf(this.#client, pod)) {
        const id = `${volume.persistentVolume.metadata.name} ${nodeName}`;
        if (!needs.has(id)) needs.set(id, { volume, nodeName, pod });
      }
    }
    return needs;
  }

  #attach({ volume, nodeName, pod }: Need, attachments: readonly VolumeAttachment[]): void {
    const node = this.#client.find('nodes', undefined, nodeName);
    if (node?.metadata.annotations?.[managedAnnotation] !== 'true') return;
    const volumeName = volume.persistentVolume.metadata.name;
    const elsewhere = attachments.some((one) => one.spec?.source?.persistentVolumeName === volumeName);
    if (volume.exclusive && elsewhere) {
      this.#events.record(
        pod,
        'Warning',
        'FailedAttachVolume',
        `Multi-Attach error for volume "${volumeName}" Volume is already exclusively attached to one node and can't be attached to another`,
      );
      return;
    }
    this.#client.create('volumeattachments', {
      metadata: { name: attachmentName(volume, nodeName) },
      spec: { attacher: volume.driver, nodeName, source: { persistentVolumeName: volumeName } },
    });
  }

  #detach(attachment: VolumeAttachment): void {
    const { clock, timings } = this.#context;
    const { name, deletionTimestamp } = attachment.metadata;
    if (deletionTimestamp !== undefined) return;
    const node = this.#client.find('nodes', undefined, attachment.spec?.nodeName ?? '');
    const since = this.#unneededSince.get(name) ?? clock.now();
    this.#unneededSince.set(name, since);
    const waitMs = since + timings.forceDetachMs - clock.now();
    const overdue = waitMs <= 0 && !isReady(node);
    if (this.#isMounted(attachment, node) && !hasTaint(node, outOfServiceTaint) && !overdue) {
      this.#queue.add(everything, waitMs > 0 ? waitMs : timings.forceDetachMs);
      return;
    }
    this.#client.delete('volumeattachments', attachment);
  }

  /** What the node said last; until it has said anything the answer is yes, to be safe. */
  #isMounted(attachment: VolumeAttachment, node: Node | undefined): boolean {
    const { name } = attachment.metadata;
    if (node === undefined) return this.#mounted.get(name) ?? true;
    const uniqueName = this.#uniqueName(attachment);
    const mounted = uniqueName === undefined || (node.status?.volumesInUse?.includes(uniqueName) ?? false);
    this.#mounted.set(name, mounted);
    return mounted;
  }

  #uniqueName(attachment: VolumeAttachment): string | undefined {
    const volumeName = attachment.spec?.source?.persistentVolumeName ?? '';
    const volume = this.#client.find('persistentvolumes', undefined, volumeName);
    return attachableVolume(this.#client, volume)?.uniqueName;
  }

  /** Keeps `status.volumesAttached` of every Node what it should be. */
  #reportAttached(attachments: readonly VolumeAttachment[]): void {
    for (const node of this.#client.list('nodes')) {
      const here = attachments.filter((one) => one.spec?.nodeName === node.metadata.name && isAttached(one));
      const names = here.flatMap((one) => this.#uniqueName(one) ?? []).sort();
      const before = node.status?.volumesAttached?.map((volume) => volume.name) ?? [];
      if (names.join() === before.join()) continue;
      this.#client.change(
        'nodes',
        node,
        (draft) => {
          draft.status = {
            ...draft.status,
            volumesAttached: names.map((name) => ({ name, devicePath: '' })),
          };
          return true;
        },
        'status',
      );
    }
  }

  #forgetOthers(attachments: readonly VolumeAttachment[]): void {
    const names = new Set(attachments.map((attachment) => attachment.metadata.name));
    for (const map of [this.#mounted, this.#unneededSince]) {
      for (const name of map.keys()) if (!names.has(name)) map.delete(name);
    }
  }
}

function idOf({ spec }: VolumeAttachment): string {
  return `${spec?.source?.persistentVolumeName} ${spec?.nodeName}`;
}
