// `pods/eviction`: a delete that asks the pod's disruption budget first.
import { timestamp } from '../store/deletion.ts';
import { matchesSelector } from '../store/label-selector.ts';
import { resources } from '../store/resources.ts';
import { forbidden, StatusError, serverFault } from '../store/status-error.ts';
import type { DeleteOptions, ServerStore, StoredObject, WriteContext } from '../store/store.ts';
import { fieldsOf, type JsonObject, objectsIn } from '../store/wire-value.ts';

const refusal = "Cannot evict pod as it would violate the pod's disruption budget.";
const twoBudgets =
  'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';

/** An eviction that is to be done. */
export interface EvictionRequest {
  readonly namespace: string;
  readonly name: string;
  readonly options: DeleteOptions;
  readonly context: WriteContext;
  readonly wallTimeMs: number;
}

/** @throws StatusError 429 while a budget refuses, 500 when two budgets claim the pod, 404 and 409 as DELETE does. */
export function evict(store: ServerStore, request: EvictionRequest): void {
  const { namespace, name, options, context } = request;
  const pod = store.get(resources.pods, namespace, name);
  if (!isExempt(pod)) {
    const budgets = budgetsOf(store, pod);
    if (budgets.length > 1) throw serverFault(twoBudgets);
    const [budget] = budgets;
    if (budget !== undefined && !mayGoUnready(pod, budget)) spend(store, budget, request);
  }
  // Asked beforehand, since a pod that isn't deleted shall not carry the mark either.
  store.delete(resources.pods, namespace, name, options, { ...context, dryRun: true });
  if (context.dryRun) return;
  const marked = markEvicted(store, pod, request);
  const { uid, resourceVersion } = options.preconditions ?? {};
  const preconditions = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion: marked.metadata.resourceVersion }),
  };
  store.delete(resources.pods, namespace, name, { ...options, preconditions }, context);
}

/** No budget protects what is finished, already going, or was never running. */
function isExempt({ metadata, status }: StoredObject): boolean {
  const phase = fieldsOf(status)['phase'];
  const isRunning = phase !== 'Succeeded' && phase !== 'Failed' && phase !== 'Pending';
  return metadata.deletionTimestamp !== undefined || !isRunning;
}

function budgetsOf(store: ServerStore, { metadata: { namespace, labels } }: StoredObject): StoredObject[] {
  const budgets = store.list(resources.poddisruptionbudgets, namespace === undefined ? {} : { namespace });
  return budgets.filter((budget) => matchesSelector(fieldsOf(budget.spec)['selector'], labels));
}

/** A pod that isn't Ready adds nothing to a healthy application, so its budget lets it go. */
function mayGoUnready(pod: StoredObject, budget: StoredObject): boolean {
  const conditions = objectsIn(fieldsOf(pod.status)['conditions']);
  if (conditions.some((one) => one['type'] === 'Ready' && one['status'] === 'True')) return false;
  if (fieldsOf(budget.spec)['unhealthyPodEvictionPolicy'] === 'AlwaysAllow') return true;
  const { current, desired } = countsOf(budget);
  return desired > 0 && current >= desired;
}

function countsOf(budget: StoredObject): { allowed: number; current: number; desired: number } {
  const { disruptionsAllowed, currentHealthy, desiredHealthy } = fieldsOf(budget.status);
  return {
    allowed: Number(disruptionsAllowed ?? 0),
    current: Number(currentHealthy ?? 0),
    desired: Number(desiredHealthy ?? 0),
  };
}

/** Takes one disruption out of the budget, so that two evictions at once can't both have the last one. */
function spend(store: ServerStore, budget: StoredObject, request: EvictionRequest): void {
  const { namespace, name, generation } = budget.metadata as StoredObject['metadata'] & {
    generation?: number;
  };
  const { allowed, current, desired } = countsOf(budget);
  if (Number(fieldsOf(budget.status)['observedGeneration'] ?? 0) < (generation ?? 0)) {
    throw refused(`The disruption budget ${name} is still being processed by the server.`, 10);
  }
  if (allowed < 0) {
    const resource = { group: 'policy', plural: 'poddisruptionbudget', kind: 'PodDisruptionBudget' };
    throw forbidden(resource, name, 'pdb disruptions allowed is negative');
  }
  if (allowed === 0) {
    throw refused(
      current <= desired
        ? `The disruption budget ${name} needs ${desired} healthy pods and has ${current} currently`
        : `The disruption budget ${name} does not allow evicting pods currently`,
    );
  }
  store.modify<{ status: JsonObject }>(
    resources.poddisruptionbudgets,
    namespace,
    name,
    ({ status }) => {
      status['disruptionsAllowed'] = allowed - 1;
      const pods = fieldsOf(status['disruptedPods']);
      status['disruptedPods'] = { ...pods, [request.name]: timestamp(request.wallTimeMs) };
      return true;
    },
    { ...request.context, audited: true },
    'status',
  );
}

/** Whoever counts failures shall see that this one was planned. */
function markEvicted(store: ServerStore, pod: StoredObject, request: EvictionRequest): StoredObject {
  const { namespace, name, context, wallTimeMs } = request;
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastTransitionTime: timestamp(wallTimeMs),
  };
  if (pod.metadata.deletionTimestamp !== undefined) return pod;
  return store.modify<{ status: JsonObject }>(
    resources.pods,
    namespace,
    name,
    ({ status }) => {
      const others = objectsIn(status['conditions']).filter((one) => one['type'] !== condition.type);
      status['conditions'] = [...others, condition];
      return true;
    },
    { ...context, audited: true },
    'status',
  );
}

function refused(why: string, retryAfterSeconds?: number): StatusError {
  return new StatusError(429, 'TooManyRequests', refusal, {
    causes: [{ reason: 'DisruptionBudget', message: why }],
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
