// What a DELETE comes to: gone at once, marked and left for others to finish, or nothing new. Pure.
import type { Draft } from './draft.ts';
import type { ServedResource } from './resources.ts';
import { deletePreconditionFailed } from './status-error.ts';
import type { DeleteOptions, StoredObject } from './store.ts';
import { copyOf, isObject } from './wire-value.ts';

/** The outcome of {@link planDeletion}. */
export interface DeletionPlan {
  /** What to write first: the object with its marks. Absent when it carries them all already. */
  readonly marked?: Draft;
  /** Whether the object goes away now. */
  readonly remove: boolean;
}

const foreground = 'foregroundDeletion';
const orphan = 'orphan';

/** Kubernetes' time: RFC 3339 in UTC, whole seconds. */
export function timestamp(wallTimeMs: number): string {
  return `${new Date(Math.floor(wallTimeMs / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

/**
 * @throws StatusError 409 when a precondition doesn't hold.
 */
export function planDeletion(
  type: ServedResource,
  current: StoredObject,
  options: DeleteOptions,
  wallTimeMs: number,
): DeletionPlan {
  checkPreconditions(type, current, options);
  const marked = copyOf(current) as unknown as Draft;
  const changed = setPropagationFinalizers(marked, options);
  const held = (marked.metadata.finalizers ?? []).length > 0;
  const grace = type.plural === 'pods' ? markGracefully(marked, options, wallTimeMs) : undefined;
  if (grace === 'pending') return changed ? { marked, remove: false } : { remove: false };
  if (grace !== undefined) return { marked, remove: grace === 0 && !held };
  if (type.plural === 'namespaces' && hasContent(marked)) {
    const isNew = marked.metadata.deletionTimestamp === undefined;
    if (isNew) mark(marked, 0, wallTimeMs);
    marked.status = { ...marked.status, phase: 'Terminating' };
    return isNew || changed ? { marked, remove: false } : { remove: false };
  }
  if (!held) return { remove: true };
  const isNew = marked.metadata.deletionTimestamp === undefined;
  if (isNew) mark(marked, 0, wallTimeMs);
  return isNew || changed ? { marked, remove: false } : { remove: false };
}

/** Whether a write leaves nothing that keeps a deleted object: its last finalizer is gone and its grace is over. */
export function isReleased(type: ServedResource, written: Draft, before: StoredObject): boolean {
  const { deletionGracePeriodSeconds: grace } = before.metadata as { deletionGracePeriodSeconds?: number };
  if (before.metadata.deletionTimestamp === undefined || grace !== 0) return false;
  if (type.plural === 'namespaces' && hasContent(written)) return false;
  return (written.metadata.finalizers ?? []).length === 0;
}

/** A namespace goes in two steps: its `spec.finalizers` hold it until somebody has emptied it. */
function hasContent(namespace: Draft): boolean {
  const finalizers = namespace.spec?.['finalizers'];
  return Array.isArray(finalizers) && finalizers.length > 0;
}

function checkPreconditions(
  type: ServedResource,
  { metadata }: StoredObject,
  { preconditions }: DeleteOptions,
): void {
  const { uid, resourceVersion } = preconditions ?? {};
  if (uid !== undefined && uid !== metadata.uid) {
    throw deletePreconditionFailed(
      type,
      metadata.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). ` +
        'The object might have been deleted and then recreated',
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw deletePreconditionFailed(
      type,
      metadata.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record ` +
        `(${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

/** Finalizers are how a propagation policy waits for the garbage collector. Returns whether they changed. */
function setPropagationFinalizers(draft: Draft, { propagationPolicy }: DeleteOptions): boolean {
  if (propagationPolicy === undefined) return false;
  const before = draft.metadata.finalizers ?? [];
  const wanted = { Foreground: foreground, Orphan: orphan, Background: undefined }[propagationPolicy];
  const kept = before.filter((one) => (one !== foreground && one !== orphan) || one === wanted);
  const after = wanted === undefined || kept.includes(wanted) ? kept : [...kept, wanted];
  if (after.length > 0) draft.metadata.finalizers = after;
  else delete draft.metadata.finalizers;
  return after.length !== before.length || after.some((one, index) => one !== before[index]);
}

/** Marks a pod; returns its grace in seconds, or `pending` when an earlier deletion goes on unchanged. */
function markGracefully(
  draft: Draft,
  options: DeleteOptions,
  wallTimeMs: number,
): number | 'pending' | undefined {
  const { metadata } = draft;
  const asked = options.gracePeriodSeconds;
  if (metadata.deletionTimestamp !== undefined) {
    const running = metadata.deletionGracePeriodSeconds ?? 0;
    if (running === 0) return undefined;
    const wanted = asked !== undefined && asked < 0 ? 1 : asked;
    // A grace that runs may only be cut short.
    if (wanted === undefined || wanted >= running) return 'pending';
    const startedMs = Date.parse(metadata.deletionTimestamp) - running * 1000;
    metadata.deletionTimestamp = timestamp(startedMs + wanted * 1000);
    metadata.deletionGracePeriodSeconds = wanted;
    return wanted;
  }
  const grace = graceOf(draft, asked);
  mark(draft, grace, wallTimeMs);
  return grace;
}

function graceOf({ spec, status }: Draft, asked: number | undefined): number {
  const phase = isObject(status) ? status['phase'] : undefined;
  if (!spec?.['nodeName'] || phase === 'Succeeded' || phase === 'Failed') return 0;
  const grace = asked ?? Number(spec['terminationGracePeriodSeconds'] ?? 0);
  return grace < 0 ? 1 : grace;
}

function mark({ metadata }: Draft, graceSeconds: number, wallTimeMs: number): void {
  metadata.deletionTimestamp = timestamp(wallTimeMs + graceSeconds * 1000);
  metadata.deletionGracePeriodSeconds = graceSeconds;
  if (metadata.generation !== undefined) metadata.generation += 1;
}
