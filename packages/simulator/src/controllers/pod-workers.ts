// A kubelet's work on its pods: start what is bound to the node, stop what is to go, report what is.
import type { TimerHandle } from '@liberator/core';
import { between } from '../time/seeded-random.ts';
import { attachableVolumesOf, attachmentName, isAttached } from './attachable-volumes.ts';
import { isFinished } from './conditions.ts';
import { type ControllerContext, isRefusal } from './controller.ts';
import type { Change, ControllerClient } from './controller-client.ts';
import type { KubeletHost } from './node-spec.ts';
import { reportRunning, reportStarting } from './pod-status.ts';
import type { Pod } from './wire-objects.ts';

/** What is known of one pod and what is being done about it. */
interface Work {
  /** As last seen in the API. Absent for containers that were found running and that no pod claims. */
  pod: Pod | undefined;
  /** Whether the API has stopped knowing it. */
  vanished: boolean;
  /** Starting its containers, or stopping them; at rest when undefined. */
  step?: { readonly kind: 'start' | 'stop'; readonly timer: TimerHandle };
  volumes: readonly string[];
}

/**
 * One worker for each pod. It acts on what the API last said; while the API can't be reached it finishes what it
 * began and lets the rest be.
 */
export class PodWorkers {
  readonly #context: ControllerContext;
  readonly #client: ControllerClient;
  readonly #host: KubeletHost;
  readonly #volumesChanged: () => void;
  readonly #works = new Map<string, Work>();
  #unsubscribe: (() => void) | undefined;
  #frozen = false;

  constructor(
    context: ControllerContext,
    client: ControllerClient,
    host: KubeletHost,
    volumesChanged: () => void,
  ) {
    this.#context = context;
    this.#client = client;
    this.#host = host;
    this.#volumesChanged = volumesChanged;
  }

  /** The attachable volumes that are mounted, or about to be, by the names that the API has for them. */
  volumesInUse(): readonly string[] {
    return [...new Set([...this.#works.values()].flatMap((work) => work.volumes))].sort();
  }

  /** Learns everything anew: what came, what changed and what vanished meanwhile. */
  goOnline(): void {
    if (this.#unsubscribe !== undefined) return;
    const pods = this.#client.watch('pods', (change) => this.#onPod(change));
    const attachments = this.#client.watch('volumeattachments', ({ object }) => {
      if (object.spec?.nodeName === this.#host.spec.name) this.#syncAll();
    });
    this.#unsubscribe = () => {
      pods();
      attachments();
    };
    const listed = new Set<string>();
    for (const pod of this.#client.list('pods')) {
      if (pod.spec?.nodeName !== this.#host.spec.name) continue;
      listed.add(pod.metadata.uid);
      this.#see(pod);
    }
    for (const [uid, work] of this.#works) work.vanished = !listed.has(uid);
    for (const { uid } of this.#host.runtime.list()) {
      if (!this.#works.has(uid)) this.#works.set(uid, { pod: undefined, vanished: true, volumes: [] });
    }
    this.#syncAll();
  }

  goOffline(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
  }

  /** Drops whatever is under way. */
  freeze(): void {
    this.#frozen = true;
    for (const work of this.#works.values()) this.#abandonStep(work);
  }

  thaw(): void {
    this.#frozen = false;
    this.#syncAll();
  }

  #onPod({ type, object }: Change<Pod>): void {
    const { uid } = object.metadata;
    if (object.spec?.nodeName !== this.#host.spec.name && !this.#works.has(uid)) return;
    this.#see(object);
    const work = this.#works.get(uid);
    if (work !== undefined && type === 'DELETED') work.vanished = true;
    this.#sync(uid);
  }

  #see(pod: Pod): void {
    const work = this.#works.get(pod.metadata.uid);
    if (work === undefined) this.#works.set(pod.metadata.uid, { pod, vanished: false, volumes: [] });
    else work.pod = pod;
  }

  #syncAll(): void {
    for (const uid of [...this.#works.keys()]) this.#sync(uid);
  }

  /** Brings one pod a step nearer to what the API wants. */
  #sync(uid: string): void {
    const work = this.#works.get(uid);
    if (work === undefined || this.#frozen) return;
    try {
      if (work.vanished || work.pod === undefined || work.pod.metadata.deletionTimestamp !== undefined) {
        this.#end(uid, work);
      } else {
        this.#run(uid, work, work.pod);
      }
    } catch (error) {
      if (!isRefusal(error)) this.#context.report(error, `kubelet of ${this.#host.spec.name}, pod ${uid}`);
    }
  }

  #run(uid: string, work: Work, pod: Pod): void {
    const { runtime } = this.#host;
    if (runtime.isRunning(uid)) {
      if (work.volumes.length === 0) this.#mount(work, pod);
      if (this.#online) work.pod = reportRunning(this.#client, pod, this.#host, this.#context.clock) ?? pod;
      return;
    }
    if (work.step !== undefined || isFinished(pod) || !this.#online) return;
    work.pod = reportStarting(this.#client, pod, this.#host, this.#context.clock) ?? pod;
    if (!this.#volumesAttached(pod)) return;
    this.#mount(work, pod);
    const { random, timings } = this.#context;
    this.#begin(uid, work, 'start', between(random, 0.8, 1.2) * timings.podStartMs, () => {
      runtime.start(uid, pod.metadata.namespace ?? 'default', pod.metadata.name);
    });
  }

  #end(uid: string, work: Work): void {
    const { runtime } = this.#host;
    if (work.step?.kind === 'stop') return;
    this.#abandonStep(work);
    if (runtime.isRunning(uid)) {
      const graceMs = (work.pod?.metadata.deletionGracePeriodSeconds ?? 30) * 1_000;
      const stopMs = Math.min(this.#context.timings.podStopMs, graceMs);
      this.#begin(uid, work, 'stop', stopMs, () => runtime.stop(uid));
      return;
    }
    if (work.volumes.length > 0) {
      work.volumes = [];
      this.#volumesChanged();
    }
    if (work.vanished || work.pod === undefined) this.#works.delete(uid);
    // The API keeps the pod until its kubelet confirms that nothing of it runs any more.
    else if (this.#online) this.#client.delete('pods', work.pod, { gracePeriodSeconds: 0 });
  }

  #begin(uid: string, work: Work, kind: 'start' | 'stop', delayMs: number, act: () => void): void {
    const timer = this.#context.clock.setTimeout(() => {
      delete work.step;
      act();
      this.#sync(uid);
    }, delayMs);
    work.step = { kind, timer };
  }

  #abandonStep(work: Work): void {
    this.#context.clock.clearTimeout(work.step?.timer);
    delete work.step;
  }

  #mount(work: Work, pod: Pod): void {
    if (!this.#online) return;
    work.volumes = attachableVolumesOf(this.#client, pod).map((volume) => volume.uniqueName);
    if (work.volumes.length > 0) this.#volumesChanged();
  }

  #volumesAttached(pod: Pod): boolean {
    return attachableVolumesOf(this.#client, pod).every((volume) => {
      const name = attachmentName(volume, this.#host.spec.name);
      const attachment = this.#client.find('volumeattachments', undefined, name);
      if (attachment !== undefined) return isAttached(attachment);
      return this.#attachedUnderAnotherName(volume.persistentVolume.metadata.name);
    });
  }

  /** Tests and other attachers may name their VolumeAttachments as they like. */
  #attachedUnderAnotherName(persistentVolumeName: string): boolean {
    return this.#client
      .list('volumeattachments')
      .some(
        (one) =>
          one.spec?.nodeName === this.#host.spec.name &&
          one.spec.source?.persistentVolumeName === persistentVolumeName &&
          isAttached(one),
      );
  }

  get #online(): boolean {
    return this.#unsubscribe !== undefined;
  }
}
