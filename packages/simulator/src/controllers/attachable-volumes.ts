// Which volumes of a pod must be attached to its node before it can start, and what the parties call them.
import { createHash } from 'node:crypto';
import type { ControllerClient } from './controller-client.ts';
import type { PersistentVolume, Pod, VolumeAttachment } from './wire-objects.ts';

/** A PersistentVolume that a storage system attaches to one machine. */
export interface AttachableVolume {
  readonly persistentVolume: PersistentVolume;
  readonly driver: string;
  /** As it stands in a Node's `status.volumesInUse` and `status.volumesAttached`. */
  readonly uniqueName: string;
  /** Whether it may be attached to one node only. */
  readonly exclusive: boolean;
}

/** The volume behind a PersistentVolume, or undefined where nothing needs attaching. */
export function attachableVolume(
  client: ControllerClient,
  persistentVolume: PersistentVolume | undefined,
): AttachableVolume | undefined {
  const csi = persistentVolume?.spec?.csi;
  if (persistentVolume === undefined || csi === undefined) return undefined;
  if (client.find('csidrivers', undefined, csi.driver)?.spec?.attachRequired === false) return undefined;
  const shared = ['ReadWriteMany', 'ReadOnlyMany'];
  return {
    persistentVolume,
    driver: csi.driver,
    uniqueName: `kubernetes.io/csi/${csi.driver}^${csi.volumeHandle}`,
    exclusive: !persistentVolume.spec?.accessModes?.some((mode) => shared.includes(mode)),
  };
}

/** The volumes of a pod that need attaching. Claims that aren't bound have none yet. */
export function attachableVolumesOf(client: ControllerClient, pod: Pod): readonly AttachableVolume[] {
  return claimsOf(pod).flatMap((claim) => {
    const volumeName = client.find('persistentvolumeclaims', pod.metadata.namespace, claim)?.spec?.volumeName;
    if (volumeName === undefined) return [];
    return attachableVolume(client, client.find('persistentvolumes', undefined, volumeName)) ?? [];
  });
}

/** The names of the claims that a pod mounts. */
export function claimsOf(pod: Pod): readonly string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []);
}

/** The name of the VolumeAttachment of a volume to a node: every party computes the same one. */
export function attachmentName(volume: AttachableVolume, nodeName: string): string {
  const handle = volume.persistentVolume.spec?.csi?.volumeHandle ?? '';
  return `csi-${createHash('sha256').update(handle).update(volume.driver).update(nodeName).digest('hex')}`;
}

/** Whether the storage system says that the volume is at the node, and isn't taking it away. */
export function isAttached(attachment: VolumeAttachment | undefined): boolean {
  return attachment?.status?.attached === true && attachment.metadata.deletionTimestamp === undefined;
}
