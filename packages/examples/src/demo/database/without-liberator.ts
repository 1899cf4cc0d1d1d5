// What Kubernetes alone does with the same crash: replayed in virtual time, so that nobody has to wait for it.
import { resources, Simulator, type StoredObject, VirtualClock } from '@liberator/simulator';
import { databaseNamespace, databaseObjects, databasePod } from './database.ts';

export interface WithoutLiberator {
  /** From the crash to the pod being Terminating. */
  readonly terminatingAfterMs: number;
  /** How long after the crash it was looked at for the last time. */
  readonly watchedMs: number;
  /** Whether it was the same pod then, on the same node, and still Terminating. */
  readonly stuck: boolean;
}

const watchedMs = 3_600_000;
const context = { user: 'demo' };

type ReplayedPod = StoredObject & {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

/** The same cluster, database and crash, without agents, for an hour. */
export async function replayWithoutLiberator(): Promise<WithoutLiberator> {
  const clock = new VirtualClock();
  await using cluster = await Simulator.start({ clock });
  for (const object of databaseObjects({ withVolume: false })) {
    const kind = Object.values(resources).find((resource) => resource.kind === object.kind);
    if (kind === undefined)
      throw new RangeError(`expected a kind that the simulator serves, found ${object.kind}`);
    cluster.store.create(kind, object, context);
  }
  const pod = (): ReplayedPod | undefined =>
    cluster.store.find(resources.pods, databaseNamespace, databasePod) as ReplayedPod | undefined;
  await cluster.until(() => isReady(pod()) && cluster.nodesReady());
  const before = pod();
  cluster.machine(before?.spec?.nodeName ?? '').crash();
  const terminatingAfterMs = await cluster.until(() => pod()?.metadata.deletionTimestamp !== undefined);
  await clock.advance(watchedMs - terminatingAfterMs);
  const after = pod();
  const stuck =
    after?.metadata.uid === before?.metadata.uid &&
    after?.metadata.deletionTimestamp !== undefined &&
    after.spec?.nodeName === before?.spec?.nodeName;
  return { terminatingAfterMs, watchedMs, stuck };
}

function isReady(pod: ReplayedPod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}
