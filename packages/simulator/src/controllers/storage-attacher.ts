// Stands in for the storage systems and their CSI attachers: does what VolumeAttachments ask for, after a while.
import type { Controller, ControllerContext } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import type { VolumeAttachment } from './wire-objects.ts';
import { WorkQueue } from './work-queue.ts';

const finalizerPrefix = 'external-attacher/';

/** Attaches and detaches for every driver. Detaching needs nobody's consent: here the storage system has the last word. */
export class StorageAttacher implements Controller {
  readonly #context: ControllerContext;
  readonly #client: ControllerClient;
  readonly #queue: WorkQueue;
  /** When the step that is under way for a VolumeAttachment will be done. */
  readonly #doneAt = new Map<string, number>();
  #end: (() => void) | undefined;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#client = new ControllerClient(context.store, 'system:serviceaccount:kube-system:csi-attacher');
    this.#queue = new WorkQueue(context, 'storage attacher', (name) => this.#reconcile(name));
  }

  start(): void {
    this.#end = this.#client.watch('volumeattachments', ({ object }) =>
      this.#queue.add(object.metadata.name),
    );
    for (const attachment of this.#client.list('volumeattachments'))
      this.#queue.add(attachment.metadata.name);
  }

  stop(): void {
    this.#end?.();
    this.#queue.stop();
  }

  #reconcile(name: string): void {
    const attachment = this.#client.find('volumeattachments', undefined, name);
    if (attachment === undefined) return;
    const { timings } = this.#context;
    const finalizer = finalizerPrefix + (attachment.spec?.attacher ?? '').replaceAll('/', '-');
    const held = attachment.metadata.finalizers?.includes(finalizer) ?? false;
    if (attachment.metadata.deletionTimestamp !== undefined) {
      if (held && this.#takes(`detach ${attachment.metadata.uid}`, name, timings.detachMs)) {
        this.#setFinalizer(attachment, finalizer, false);
      }
      return;
    }
    if (attachment.status?.attached === true) return;
    // First the promise that it will be detached again, then the attachment itself.
    if (!held) this.#setFinalizer(attachment, finalizer, true);
    if (this.#takes(`attach ${attachment.metadata.uid}`, name, timings.attachMs))
      this.#setAttached(attachment);
  }

  /** Whether a step that takes `durationMs` is over; if not, the attachment is looked at again when it is. */
  #takes(step: string, name: string, durationMs: number): boolean {
    const now = this.#context.clock.now();
    const doneAt = this.#doneAt.get(step) ?? now + durationMs;
    if (doneAt <= now) {
      this.#doneAt.delete(step);
      return true;
    }
    this.#doneAt.set(step, doneAt);
    this.#queue.add(name, doneAt - now);
    return false;
  }

  #setFinalizer(attachment: VolumeAttachment, finalizer: string, present: boolean): void {
    this.#client.change('volumeattachments', attachment, (draft) => {
      const others = (draft.metadata.finalizers ?? []).filter((one) => one !== finalizer);
      draft.metadata.finalizers = present ? [...others, finalizer] : others;
      return true;
    });
  }

  #setAttached(attachment: VolumeAttachment): void {
    this.#client.change(
      'volumeattachments',
      attachment,
      (draft) => {
        draft.status = { ...draft.status, attached: true };
        return true;
      },
      'status',
    );
  }
}
