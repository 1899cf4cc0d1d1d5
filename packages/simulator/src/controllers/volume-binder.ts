// Finds or makes a PersistentVolume for each claim, and cleans up when a claim is gone.
import type { Controller, ControllerContext } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import { quantity } from './quantities.ts';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from './wire-objects.ts';
import { keyOf, splitKey, WorkQueue } from './work-queue.ts';

const user = 'system:serviceaccount:kube-system:persistent-volume-binder';

/** Set by the scheduler on claims whose volume is made where their pod will run. */
export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';
const defaultClassAnnotation = 'storageclass.kubernetes.io/is-default-class';
/** A class with this provisioner makes no volumes: somebody else puts them there. */
const noProvisioner = 'kubernetes.io/no-provisioner';

/** Whether the claim's class binds it only once a pod that uses it is being scheduled. */
export function waitsForConsumer(client: ControllerClient, claim: PersistentVolumeClaim): boolean {
  return classOf(client, claim)?.volumeBindingMode === 'WaitForFirstConsumer';
}

function classOf(client: ControllerClient, claim: PersistentVolumeClaim): StorageClass | undefined {
  const name = claim.spec?.storageClassName;
  return name === undefined || name === '' ? undefined : client.find('storageclasses', undefined, name);
}

/** The persistent volume binder together with a provisioner of CSI volumes that stands in for every driver. */
export class VolumeBinder implements Controller {
  readonly #context: ControllerContext;
  readonly #client: ControllerClient;
  readonly #queue: WorkQueue;
  readonly #provisioning = new Map<string, number>();
  readonly #ends: (() => void)[] = [];

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#client = new ControllerClient(context.store, user);
    this.#queue = new WorkQueue(context, 'volume binder', (key) => {
      if (key.startsWith('volume/')) this.#reclaim(key.slice('volume/'.length));
      else this.#bind(key.slice('claim/'.length));
    });
  }

  start(): void {
    this.#ends.push(
      this.#client.watch('persistentvolumeclaims', ({ type, object }) => {
        if (type !== 'DELETED') this.#queue.add(`claim/${keyOf(object)}`);
        else if (object.spec?.volumeName !== undefined) this.#queue.add(`volume/${object.spec.volumeName}`);
      }),
      this.#client.watch('persistentvolumes', ({ object }) => {
        this.#queue.add(`volume/${object.metadata.name}`);
        this.#bindAll();
      }),
      this.#client.watch('storageclasses', () => this.#bindAll()),
    );
    for (const volume of this.#client.list('persistentvolumes'))
      this.#queue.add(`volume/${volume.metadata.name}`);
    this.#bindAll();
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#queue.stop();
  }

  #bindAll(): void {
    for (const claim of this.#client.list('persistentvolumeclaims')) {
      if (claim.status?.phase !== 'Bound') this.#queue.add(`claim/${keyOf(claim)}`);
    }
  }

  #bind(key: string): void {
    const { namespace, name } = splitKey(key);
    const claim = this.#withDefaultClass(this.#client.find('persistentvolumeclaims', namespace, name));
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return;
    if (claim.status?.phase === 'Bound') return;
    const volume = this.#volumeFor(claim);
    if (volume !== undefined) this.#join(claim, volume);
    else this.#provision(key, claim);
  }

  /** A claim that names no class gets the default one; the empty name means none. */
  #withDefaultClass(claim: PersistentVolumeClaim | undefined): PersistentVolumeClaim | undefined {
    if (claim === undefined || claim.spec?.storageClassName !== undefined) return claim;
    const standard = this.#client
      .list('storageclasses')
      .find((one) => one.metadata.annotations?.[defaultClassAnnotation] === 'true');
    if (standard === undefined) return claim;
    return this.#client.change('persistentvolumeclaims', claim, (draft) => {
      draft.spec = { ...draft.spec, storageClassName: standard.metadata.name };
      return true;
    });
  }

  /** The volume that claim and volume agree on: by name, by reference, or the smallest free one that is big enough. */
  #volumeFor(claim: PersistentVolumeClaim): PersistentVolume | undefined {
    const named = claim.spec?.volumeName;
    if (named !== undefined) return this.#client.find('persistentvolumes', undefined, named);
    const volumes = this.#client
      .list('persistentvolumes')
      .filter((volume) => volume.metadata.deletionTimestamp === undefined);
    const meant = volumes.find((volume) => refersTo(volume, claim));
    if (meant !== undefined) return meant;
    if (waitsForConsumer(this.#client, claim) && selectedNode(claim) === undefined) return undefined;
    const wanted = quantity(claim.spec?.resources?.requests?.['storage'] ?? '0');
    const size = (volume: PersistentVolume): number => quantity(volume.spec?.capacity?.['storage'] ?? '0');
    return volumes
      .filter((volume) => volume.spec?.claimRef === undefined && size(volume) >= wanted)
      .filter((volume) => (volume.spec?.storageClassName ?? '') === (claim.spec?.storageClassName ?? ''))
      .filter((volume) =>
        claim.spec?.accessModes?.every((mode) => volume.spec?.accessModes?.includes(mode) ?? false),
      )
      .sort((a, b) => size(a) - size(b))[0];
  }

  #join(claim: PersistentVolumeClaim, volume: PersistentVolume): void {
    const { name, namespace, uid } = claim.metadata;
    const volumeName = volume.metadata.name;
    this.#client.change('persistentvolumes', volume, (draft) => {
      const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, uid };
      draft.spec = {
        ...draft.spec,
        claimRef: namespace === undefined ? claimRef : { ...claimRef, namespace },
      };
      return true;
    });
    this.#setVolumePhase(volume, 'Bound');
    this.#client.change('persistentvolumeclaims', claim, (draft) => {
      draft.spec = { ...draft.spec, volumeName };
      return true;
    });
    this.#client.change(
      'persistentvolumeclaims',
      claim,
      (draft) => {
        draft.status = {
          ...draft.status,
          phase: 'Bound',
          accessModes: [...(volume.spec?.accessModes ?? [])],
          capacity: { ...volume.spec?.capacity },
        };
        return true;
      },
      'status',
    );
  }

  #provision(key: string, claim: PersistentVolumeClaim): void {
    const { clock, timings } = this.#context;
    const storageClass = classOf(this.#client, claim);
    if (storageClass?.provisioner === undefined || storageClass.provisioner === noProvisioner) return;
    if (waitsForConsumer(this.#client, claim) && selectedNode(claim) === undefined) return;
    const { uid } = claim.metadata;
    const doneAt = this.#provisioning.get(uid);
    if (doneAt === undefined || doneAt > clock.now()) {
      const due = doneAt ?? clock.now() + timings.provisionMs;
      this.#provisioning.set(uid, due);
      this.#queue.add(`claim/${key}`, due - clock.now());
      return;
    }
    this.#provisioning.delete(uid);
    const volumeName = `pvc-${uid}`;
    const { name, namespace } = claim.metadata;
    this.#client.create('persistentvolumes', {
      metadata: {
        name: volumeName,
        annotations: { 'pv.kubernetes.io/provisioned-by': storageClass.provisioner },
      },
      spec: {
        accessModes: claim.spec?.accessModes ?? ['ReadWriteOnce'],
        capacity: { storage: claim.spec?.resources?.requests?.['storage'] ?? '1Gi' },
        storageClassName: storageClass.metadata.name,
        persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? 'Delete',
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid },
        csi: { driver: storageClass.provisioner, volumeHandle: volumeName },
      },
    });
  }

  /** What becomes of a volume whose claim is gone, by its reclaim policy. */
  #reclaim(name: string): void {
    const volume = this.#client.find('persistentvolumes', undefined, name);
    if (volume === undefined || volume.metadata.deletionTimestamp !== undefined) return;
    const claimRef = volume.spec?.claimRef;
    if (claimRef === undefined) {
      this.#setVolumePhase(volume, 'Available');
      return;
    }
    const claim = this.#client.find('persistentvolumeclaims', claimRef.namespace, claimRef.name ?? '');
    if (claimRef.uid === undefined || claim?.metadata.uid === claimRef.uid) return;
    this.#setVolumePhase(volume, 'Released');
    if (volume.spec?.persistentVolumeReclaimPolicy === 'Delete')
      this.#client.delete('persistentvolumes', volume);
  }

  #setVolumePhase(volume: PersistentVolume, phase: string): void {
    this.#client.change(
      'persistentvolumes',
      volume,
      (draft) => {
        if (draft.status?.phase === phase) return false;
        draft.status = { ...draft.status, phase };
        return true;
      },
      'status',
    );
  }
}

const selectedNode = (claim: PersistentVolumeClaim): string | undefined =>
  claim.metadata.annotations?.[selectedNodeAnnotation];

function refersTo({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const reference = spec?.claimRef;
  if (reference?.name !== metadata.name || reference.namespace !== metadata.namespace) return false;
  return reference.uid === undefined || reference.uid === metadata.uid;
}
