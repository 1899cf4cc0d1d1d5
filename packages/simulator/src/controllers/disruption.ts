// Counts for every PodDisruptionBudget how many of its pods are healthy, and so how many evictions it allows now.
import { timestamp } from '../store/deletion.ts';
import { matchesSelector } from '../store/label-selector.ts';
import { isReady } from './conditions.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { type Change, ControllerClient } from './controller-client.ts';
import { controllerOf } from './pod-template.ts';
import type { Condition, KubernetesObject, Pod, PodDisruptionBudget } from './wire-objects.ts';
import { keyOf, splitKey, WorkQueue } from './work-queue.ts';

/** An eviction that was allowed is believed in for this long; a pod that is still there then was never evicted. */
const disruptionBeliefMs = 120_000;

/** What a budget comes to: how many pods there should be, and how many of them must stay healthy. */
interface Demand {
  readonly expected: number;
  readonly desired: number;
}

/** Whatever owns pods and can have more or fewer of them. */
interface Scaled extends KubernetesObject {
  readonly spec?: { readonly replicas?: number };
}

/** The disruption controller, without its Events and without the scale of custom resources. */
export class DisruptionController implements Controller {
  readonly #context: ControllerContext;
  readonly #client: ControllerClient;
  readonly #queue: WorkQueue;
  readonly #ends: (() => void)[] = [];

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#client = new ControllerClient(
      context.store,
      'system:serviceaccount:kube-system:disruption-controller',
    );
    this.#queue = new WorkQueue(context, 'disruption budget', (key) => this.#reconcile(key));
  }

  start(): void {
    const onScale = ({ object, previous }: Pick<Change<Scaled>, 'object' | 'previous'>): void => {
      if (object.spec?.replicas !== previous?.spec?.replicas) this.#addAll(object.metadata.namespace);
    };
    this.#ends.push(
      this.#client.watch('poddisruptionbudgets', ({ object }) => this.#queue.add(keyOf(object))),
      this.#client.watch('pods', ({ object, previous }) => {
        this.#addCovering(object);
        if (previous !== undefined && previous.metadata.labels !== object.metadata.labels) {
          this.#addCovering(previous);
        }
      }),
      this.#client.watch('statefulsets', onScale),
      this.#client.watch('replicasets', onScale),
      this.#client.watch('deployments', onScale),
    );
    this.#addAll(undefined);
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#queue.stop();
  }

  #addAll(namespace: string | undefined): void {
    const budgets = this.#client.list('poddisruptionbudgets', namespace === undefined ? {} : { namespace });
    for (const budget of budgets) this.#queue.add(keyOf(budget));
  }

  #addCovering({ metadata: { namespace, labels } }: Pod): void {
    if (namespace === undefined) return;
    for (const budget of this.#client.list('poddisruptionbudgets', { namespace })) {
      if (matchesSelector(budget.spec?.selector, labels)) this.#queue.add(keyOf(budget));
    }
  }

  #reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const budget = this.#client.find('poddisruptionbudgets', namespace, name);
    if (budget === undefined || budget.metadata.deletionTimestamp !== undefined) return;
    const { clock } = this.#context;
    const pods = this.#client
      .list('pods', namespace === undefined ? {} : { namespace })
      .filter(({ metadata }) => matchesSelector(budget.spec?.selector, metadata.labels));
    const { disruptedPods, recheckMs } = stillDisrupted(budget, pods, clock.wallTime());
    if (recheckMs !== undefined) this.#queue.add(key, recheckMs);
    const { expected, desired } = this.#demand(budget, pods);
    const healthy = pods.filter(
      (pod) =>
        pod.metadata.deletionTimestamp === undefined && !(pod.metadata.name in disruptedPods) && isReady(pod),
    ).length;
    const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired);
    this.#report(budget, {
      currentHealthy: healthy,
      desiredHealthy: desired,
      expectedPods: expected,
      disruptionsAllowed: allowed,
      disruptedPods,
    });
  }

  /** A share of the pods is one of those that their owners want, not of those that happen to be there. */
  #demand({ spec = {} }: PodDisruptionBudget, pods: readonly Pod[]): Demand {
    const { minAvailable, maxUnavailable } = spec;
    if (maxUnavailable !== undefined) {
      const expected = this.#wantedOf(pods);
      return { expected, desired: Math.max(0, expected - shareOf(maxUnavailable, expected)) };
    }
    if (typeof minAvailable === 'string') {
      const expected = this.#wantedOf(pods);
      return { expected, desired: shareOf(minAvailable, expected) };
    }
    return { expected: pods.length, desired: minAvailable ?? 0 };
  }

  #wantedOf(pods: readonly Pod[]): number {
    const scales = new Map<string, number>();
    for (const pod of pods) {
      const owner = controllerOf(pod);
      if (owner === undefined) continue;
      const { namespace } = pod.metadata;
      if (owner.kind === 'StatefulSet') {
        const set = this.#client.find('statefulsets', namespace, owner.name);
        if (set !== undefined) scales.set(set.metadata.uid, set.spec?.replicas ?? 1);
      }
      if (owner.kind !== 'ReplicaSet') continue;
      const set = this.#client.find('replicasets', namespace, owner.name);
      const above = set && controllerOf(set);
      const deployment =
        above?.kind === 'Deployment' ? this.#client.find('deployments', namespace, above.name) : undefined;
      const scaled = deployment ?? set;
      if (scaled !== undefined) scales.set(scaled.metadata.uid, scaled.spec?.replicas ?? 1);
    }
    return [...scales.values()].reduce((sum, scale) => sum + scale, 0);
  }

  #report(budget: PodDisruptionBudget, counts: Counts): void {
    const { generation } = budget.metadata;
    const before = budget.status ?? {};
    const condition: Condition = {
      type: 'DisruptionAllowed',
      status: counts.disruptionsAllowed > 0 ? 'True' : 'False',
      reason: counts.disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods',
      message: '',
    };
    const known = before.conditions?.find(({ type }) => type === condition.type);
    const unchanged =
      before.observedGeneration === generation &&
      known?.status === condition.status &&
      before.currentHealthy === counts.currentHealthy &&
      before.desiredHealthy === counts.desiredHealthy &&
      before.expectedPods === counts.expectedPods &&
      before.disruptionsAllowed === counts.disruptionsAllowed &&
      Object.keys(before.disruptedPods ?? {}).join() === Object.keys(counts.disruptedPods).join();
    if (unchanged) return;
    const { disruptedPods, ...numbers } = counts;
    const since =
      known?.status === condition.status
        ? known.lastTransitionTime
        : timestamp(this.#context.clock.wallTime());
    this.#client.change(
      'poddisruptionbudgets',
      budget,
      (draft) => {
        draft.status = {
          ...numbers,
          ...(generation === undefined ? {} : { observedGeneration: generation }),
          ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods: { ...disruptedPods } }),
          conditions: [
            {
              ...condition,
              ...(generation === undefined ? {} : { observedGeneration: generation }),
              ...(since === undefined ? {} : { lastTransitionTime: since }),
            },
          ],
        };
        return true;
      },
      'status',
    );
  }
}

interface Counts {
  readonly currentHealthy: number;
  readonly desiredHealthy: number;
  readonly expectedPods: number;
  readonly disruptionsAllowed: number;
  readonly disruptedPods: Readonly<Record<string, string>>;
}

/** Pods whose eviction was allowed and which have not shown yet that they are going. */
function stillDisrupted(
  { status }: PodDisruptionBudget,
  pods: readonly Pod[],
  wallTimeMs: number,
): { disruptedPods: Readonly<Record<string, string>>; recheckMs: number | undefined } {
  const still: Record<string, string> = {};
  let recheckMs: number | undefined;
  for (const { metadata } of pods) {
    const time = status?.disruptedPods?.[metadata.name];
    if (time === undefined || metadata.deletionTimestamp !== undefined) continue;
    const leftMs = Date.parse(time) + disruptionBeliefMs - wallTimeMs;
    if (leftMs <= 0) continue;
    still[metadata.name] = time;
    recheckMs = Math.min(recheckMs ?? leftMs, leftMs);
  }
  return { disruptedPods: still, recheckMs };
}

/** A count as it is, or a percentage of `total`, rounded up. */
function shareOf(value: number | string, total: number): number {
  if (typeof value === 'number') return value;
  return Math.ceil((Number.parseInt(value, 10) * total) / 100);
}
