// What the controllers of all workloads share: which owner is looked at when, and how its status is written.
import { resources } from '../store/resources.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import { controllerOf } from './pod-template.ts';
import type { Kinds } from './wire-objects.ts';
import { keyOf, splitKey, WorkQueue } from './work-queue.ts';

type Workload = 'statefulsets' | 'deployments' | 'replicasets' | 'daemonsets';

/** Looks at a workload whenever it, or something that it controls, has changed. */
export abstract class WorkloadController<P extends Workload> implements Controller {
  /** Under whose name it writes. */
  protected readonly user: string;
  protected readonly client: ControllerClient;
  readonly #workload: P;
  readonly #controlled: 'pods' | 'replicasets';
  readonly #queue: WorkQueue;
  readonly #ends: (() => void)[] = [];

  /** @param options - `account` names its service account. */
  constructor(
    context: ControllerContext,
    options: { readonly workload: P; readonly controlled: 'pods' | 'replicasets'; readonly account: string },
  ) {
    const { workload, controlled, account } = options;
    this.user = `system:serviceaccount:kube-system:${account}`;
    this.client = new ControllerClient(context.store, this.user);
    this.#workload = workload;
    this.#controlled = controlled;
    this.#queue = new WorkQueue(context, account, (key) => this.#look(key));
  }

  start(): void {
    const { kind } = resources[this.#workload];
    this.#ends.push(
      this.client.watch(this.#workload, ({ object }) => this.#queue.add(keyOf(object))),
      this.client.watch(this.#controlled, ({ object }) => {
        const owner = controllerOf(object);
        if (owner?.kind === kind) this.#queue.add(`${object.metadata.namespace}/${owner.name}`);
      }),
      ...this.watchMore(),
    );
    this.lookAtAll();
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#queue.stop();
  }

  /** Brings one step nearer what the workload, which is there and not being deleted, asks for. */
  protected abstract reconcile(workload: Kinds[P]): void;

  /** Watches of what else matters to it; returns what ends them. */
  protected watchMore(): readonly (() => void)[] {
    return [];
  }

  protected lookAtAll(): void {
    for (const workload of this.client.list(this.#workload)) this.#queue.add(keyOf(workload));
  }

  /** Writes these fields of the status, and leaves the others as they are. */
  protected reportStatus(workload: Kinds[P], status: NonNullable<Kinds[P]['status']>): void {
    const { generation } = workload.metadata;
    this.client.change(
      this.#workload,
      workload,
      (draft: { status?: object }) => {
        draft.status = {
          ...draft.status,
          ...status,
          ...(generation === undefined ? {} : { observedGeneration: generation }),
        };
        return true;
      },
      'status',
    );
  }

  #look(key: string): void {
    const { namespace, name } = splitKey(key);
    const workload = this.client.find(this.#workload, namespace, name);
    if (workload !== undefined && workload.metadata.deletionTimestamp === undefined) this.reconcile(workload);
  }
}
