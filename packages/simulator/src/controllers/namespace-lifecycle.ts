// Empties a namespace that is being deleted and lets it go when nothing is left in it.
import { servedResources } from '../store/resources.ts';
import { type ComponentContext, type Controller, type ControllerContext, isRefusal } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import { WorkQueue } from './work-queue.ts';

const user = 'system:serviceaccount:kube-system:namespace-controller';
const inside: ComponentContext = { user, fromInside: true };
const lookAgainMs = 1_000;

/** The namespace controller. */
export class NamespaceLifecycle implements Controller {
  readonly #context: ControllerContext;
  readonly #client: ControllerClient;
  readonly #queue: WorkQueue;
  #end: (() => void) | undefined;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#client = new ControllerClient(context.store, user);
    this.#queue = new WorkQueue(context, 'namespace lifecycle', (name) => this.#reconcile(name));
  }

  start(): void {
    this.#end = this.#client.watch('namespaces', ({ object }) => {
      if (object.metadata.deletionTimestamp !== undefined) this.#queue.add(object.metadata.name);
    });
    for (const namespace of this.#client.list('namespaces')) this.#queue.add(namespace.metadata.name);
  }

  stop(): void {
    this.#end?.();
    this.#queue.stop();
  }

  #reconcile(name: string): void {
    const namespace = this.#client.find('namespaces', undefined, name);
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    let left = 0;
    for (const type of servedResources.filter((one) => one.namespaced)) {
      for (const object of this.#context.store.list(type, { namespace: name })) {
        left++;
        try {
          this.#context.store.delete(type, name, object.metadata.name, {}, inside);
        } catch (error) {
          if (!isRefusal(error)) throw error;
        }
      }
    }
    // What needs a kubelet's consent takes its time, so the proof that nothing is left comes with the next look.
    if (left > 0) this.#queue.add(name, lookAgainMs);
    else {
      this.#client.change('namespaces', namespace, (draft) => {
        draft.spec = { ...draft.spec, finalizers: [] };
        return true;
      });
    }
  }
}
