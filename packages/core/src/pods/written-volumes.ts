// What a pod can write to, by who serves it: a proof that a machine is cut off from one storage says nothing about another.
import type { PersistentVolume, Pod, Volume } from '../kubernetes/objects.ts';
import { controllerOf, type VolumeReads } from './affected-pods.ts';

/** One volume that a pod has. */
export interface PodVolume {
  /** For people: `data (claim data-db-0)`. */
  readonly name: string;
  /** Name of the PersistentVolume, where there is one. */
  readonly volume?: string;
  /** Nothing in the pod can write to it. */
  readonly readOnly?: true;
  /** The CSI driver that serves it; absent when it is none, or nobody can tell which. */
  readonly driver?: string;
  /** What it is where no CSI driver serves it, for people. */
  readonly kind?: string;
}

/** What is made anew for each pod, or can't be written at all: no other pod will ever meet what was written there. */
const nobodysElse = ['emptyDir', 'configMap', 'secret', 'projected', 'downwardAPI', 'image'] as const;

/**
 * All volumes of a pod that outlive it. A raw block device counts as written; so does whatever this library does not know, a volume
 * that no container mounts, and a claim of which nobody can say what is behind it.
 */
export async function volumesOf(reads: VolumeReads, pod: Pod): Promise<readonly PodVolume[]> {
  const volumes = (pod.spec?.volumes ?? []).filter((volume) =>
    nobodysElse.every((kind) => volume[kind] === undefined),
  );
  return Promise.all(volumes.map((volume) => describe(reads, pod, volume)));
}

/**
 * Why a machine that is cut off from the volumes of these CSI drivers may still do harm through this pod; undefined when it can't.
 *
 * A StatefulSet promises one pod of a name at most. One that keeps nothing on any volume has taken nothing from the machine, so
 * nothing of it was cut off: what it does goes over the network. Of other pods nobody promises so much.
 */
export function beyondIsolation(
  pod: Pod,
  volumes: readonly PodVolume[],
  csiDrivers: readonly string[],
): string | undefined {
  const written = volumes.filter(({ readOnly }) => readOnly !== true);
  const beyond = written.filter(({ driver }) => driver === undefined || !csiDrivers.includes(driver));
  if (beyond.length > 0) {
    const words = beyond.map(({ name, driver, kind = 'of an unknown kind' }) => `${name}: ${driver ?? kind}`);
    return `volume ${words.join(', volume ')}`;
  }
  return written.length === 0 && controllerOf(pod)?.kind === 'StatefulSet'
    ? 'it writes to no volume, so that nothing of it was cut off'
    : undefined;
}

async function describe(reads: VolumeReads, pod: Pod, volume: Volume): Promise<PodVolume> {
  const { name } = volume;
  const isBlock = containersOf(pod).some(({ volumeDevices = [] }) =>
    volumeDevices.some((device) => device.name === name),
  );
  const only = !isBlock && isOnlyRead(pod, volume) ? { readOnly: true as const } : {};
  // The claim of a generic ephemeral volume has a name that follows from the pod's.
  const claim =
    volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral && `${pod.metadata.name}-${name}`);
  if (claim !== undefined) {
    return { name: `${name} (claim ${claim})`, ...only, ...(await behind(reads, pod, claim, isBlock)) };
  }
  if (volume.csi !== undefined) return { name, ...only, driver: volume.csi.driver };
  return { name, ...only, kind: kindOf(volume) };
}

async function behind(
  reads: VolumeReads,
  pod: Pod,
  claim: string,
  isBlock: boolean,
): Promise<Omit<PodVolume, 'name'>> {
  const found = await reads.readClaim(pod.metadata.namespace ?? 'default', claim);
  if (found === undefined) return { kind: 'its claim is gone' };
  const volume = found.spec?.volumeName;
  if (volume === undefined) return { kind: 'its claim is not bound' };
  const served = await reads.readVolume(volume);
  const { csi } = served?.spec ?? {};
  if (csi === undefined) {
    return {
      volume,
      kind: served === undefined ? 'its PersistentVolume is gone' : kindOf(served.spec ?? {}),
    };
  }
  const only = !isBlock && isServedForReading(served) ? { readOnly: true as const } : {};
  return { volume, driver: csi.driver, ...only };
}

function isOnlyRead(pod: Pod, { name, persistentVolumeClaim, csi, nfs }: Volume): boolean {
  if ((persistentVolumeClaim?.readOnly ?? csi?.readOnly ?? nfs?.readOnly) === true) return true;
  const mounts = containersOf(pod).flatMap(({ volumeMounts = [] }) =>
    volumeMounts.filter((mount) => mount.name === name),
  );
  return mounts.length > 0 && mounts.every(({ readOnly }) => readOnly === true);
}

function isServedForReading(volume: PersistentVolume | undefined): boolean {
  const { csi, accessModes = [] } = volume?.spec ?? {};
  return (
    csi?.readOnly === true || (accessModes.length > 0 && accessModes.every((mode) => mode === 'ReadOnlyMany'))
  );
}

function containersOf({ spec }: Pod): NonNullable<NonNullable<Pod['spec']>['containers']> {
  return [spec?.initContainers, spec?.containers, spec?.ephemeralContainers].flatMap((some) => some ?? []);
}

function kindOf(source: Partial<Record<'hostPath' | 'local' | 'nfs', object>>): string {
  if (source.hostPath !== undefined) return 'a path of the host';
  if (source.local !== undefined) return 'a disk of the host';
  return source.nfs === undefined ? 'served by no CSI driver' : 'served by NFS';
}
