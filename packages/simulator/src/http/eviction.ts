// `pods/eviction`: a delete that asks the pod's disruption budget first.
import { parseLabelSelector } from '../store/label-selector.ts';
import { resources } from '../store/resources.ts';
import { StatusError } from '../store/status-error.ts';
import type { DeleteOptions, ServerStore, StoredObject, WriteContext } from '../store/store.ts';
import { isObject, type JsonObject } from '../store/wire-value.ts';

const refusal = "Cannot evict pod as it would violate the pod's disruption budget.";

/** @throws StatusError 429 while a budget refuses, 500 when two budgets claim the pod, 404 and 409 as DELETE does. */
export function evict(
  store: ServerStore,
  namespace: string,
  name: string,
  options: DeleteOptions,
  context: WriteContext,
): void {
  const pod = store.get(resources.pods, namespace, name);
  if (!isExempt(pod)) {
    const budgets = budgetsOf(store, pod);
    if (budgets.length > 1) {
      throw new StatusError(
        500,
        'InternalError',
        'Internal error occurred: This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
        {
          causes: [
            {
              message:
                'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
            },
          ],
        },
      );
    }
    const [budget] = budgets;
    if (budget !== undefined && !mayGoUnready(pod, budget)) spend(store, budget, name, context);
  }
  store.delete(resources.pods, namespace, name, options, context);
}

/** No budget protects what is finished, already going, or was never running. */
function isExempt(pod: StoredObject): boolean {
  const phase = isObject(pod.status) ? pod.status['phase'] : undefined;
  return (
    pod.metadata.deletionTimestamp !== undefined ||
    phase === 'Succeeded' ||
    phase === 'Failed' ||
    phase === 'Pending'
  );
}

function budgetsOf(store: ServerStore, pod: StoredObject): StoredObject[] {
  const { namespace, labels } = pod.metadata;
  const inNamespace = store.list(
    resources.poddisruptionbudgets,
    namespace === undefined ? {} : { namespace },
  );
  return inNamespace.filter((budget) => selects(fieldsOf(budget.spec)['selector'], labels));
}

/** In policy/v1 an empty selector takes every pod of the namespace, and a missing one none. */
function selects(selector: unknown, labels: StoredObject['metadata']['labels']): boolean {
  if (!isObject(selector)) return false;
  const matchLabels = Object.entries(fieldsOf(selector['matchLabels'])).map(
    ([key, value]) => `${key}=${value}`,
  );
  const expressions = Array.isArray(selector['matchExpressions']) ? selector['matchExpressions'] : [];
  const terms = [...matchLabels, ...expressions.filter(isObject).map(termOf)];
  return parseLabelSelector(terms.join(','))(labels);
}

function termOf({ key, operator, values }: JsonObject): string {
  const list = Array.isArray(values) ? values.join(',') : '';
  switch (operator) {
    case 'In':
      return `${key} in (${list})`;
    case 'NotIn':
      return `${key} notin (${list})`;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return String(key);
  }
}

/** A pod that isn't Ready adds nothing to a healthy application, so its budget lets it go. */
function mayGoUnready(pod: StoredObject, budget: StoredObject): boolean {
  const conditions = fieldsOf(pod.status)['conditions'];
  const ready = Array.isArray(conditions)
    ? conditions.some((one) => isObject(one) && one['type'] === 'Ready' && one['status'] === 'True')
    : false;
  if (ready) return false;
  if (fieldsOf(budget.spec)['unhealthyPodEvictionPolicy'] === 'AlwaysAllow') return true;
  const { currentHealthy, desiredHealthy } = fieldsOf(budget.status);
  return Number(desiredHealthy ?? 0) > 0 && Number(currentHealthy ?? 0) >= Number(desiredHealthy);
}

/** Takes one disruption out of the budget, so that two evictions at once can't both have the last one. */
function spend(store: ServerStore, budget: StoredObject, podName: string, context: WriteContext): void {
  const { namespace, name, generation } = budget.metadata as StoredObject['metadata'] & {
    generation?: number;
  };
  const status = fieldsOf(budget.status);
  if (Number(status['observedGeneration'] ?? 0) < (generation ?? 0)) {
    throw refused(`The disruption budget ${name} is still being processed by the server.`, 10);
  }
  if (Number(status['disruptionsAllowed'] ?? 0) <= 0) {
    const needs = `needs ${status['desiredHealthy'] ?? 0} healthy pods and has ${status['currentHealthy'] ?? 0} currently`;
    throw refused(`The disruption budget ${name} ${needs}`);
  }
  store.modify<{ status: JsonObject }>(
    resources.poddisruptionbudgets,
    namespace,
    name,
    (draft) => {
      draft.status['disruptionsAllowed'] = Number(draft.status['disruptionsAllowed'] ?? 0) - 1;
      draft.status['disruptedPods'] = {
        ...fieldsOf(draft.status['disruptedPods']),
        [podName]: budget.metadata.creationTimestamp,
      };
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

function fieldsOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}
