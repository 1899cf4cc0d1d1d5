// What makes the server answer 422: the rules that a client can run into, each with the real server's words.
import type { Draft } from './draft.ts';
import { nameErrors } from './object-names.ts';
import type { ServedResource } from './resources.ts';
import { disruptionBudgetErrors } from './rules/disruption-budget-rules.ts';
import { eventErrors } from './rules/event-rules.ts';
import { leaseErrors } from './rules/lease-rules.ts';
import { metadataChangeErrors, metadataErrors } from './rules/metadata-rules.ts';
import { nodeChangeErrors, nodeErrors } from './rules/node-rules.ts';
import { podChangeErrors, podErrors } from './rules/pod-rules.ts';
import { volumeAttachmentChangeErrors, volumeAttachmentErrors } from './rules/volume-attachment-rules.ts';
import { selectorChangeErrors, statefulSetChangeErrors, workloadErrors } from './rules/workload-rules.ts';
import type { FieldError } from './status-error.ts';
import type { StoredObject } from './store.ts';

interface Rules {
  /** Holds for every version of an object. */
  readonly always: (draft: Draft) => FieldError[];
  /** Holds between one version and the next. */
  readonly change?: (draft: Draft, current: StoredObject) => FieldError[];
}

const rulesOf: ReadonlyMap<string, Rules> = new Map([
  ['nodes', { always: nodeErrors, change: nodeChangeErrors }],
  ['pods', { always: podErrors, change: podChangeErrors }],
  ['leases', { always: leaseErrors }],
  ['events', { always: eventErrors }],
  ['statefulsets', { always: workloadErrors, change: statefulSetChangeErrors }],
  ['deployments', { always: workloadErrors, change: selectorChangeErrors }],
  ['replicasets', { always: workloadErrors, change: selectorChangeErrors }],
  ['daemonsets', { always: workloadErrors, change: selectorChangeErrors }],
  ['poddisruptionbudgets', { always: disruptionBudgetErrors }],
  ['volumeattachments', { always: volumeAttachmentErrors, change: volumeAttachmentChangeErrors }],
]);

/** All that is wrong with a new object. */
export function createErrors(type: ServedResource, draft: Draft): FieldError[] {
  const always = rulesOf.get(type.plural)?.always(draft) ?? [];
  return [...nameErrors(type.plural, draft.metadata.name), ...metadataErrors(draft), ...always];
}

/** All that is wrong with a replacement, including what may not change. */
export function updateErrors(type: ServedResource, draft: Draft, current: StoredObject): FieldError[] {
  const rules = rulesOf.get(type.plural);
  return [
    ...metadataChangeErrors(draft, current),
    ...metadataErrors(draft),
    ...(rules?.always(draft) ?? []),
    ...(rules?.change?.(draft, current) ?? []),
  ];
}
