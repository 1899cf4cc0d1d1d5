// What must hold for a write to be taken at all.
import type { Draft } from './draft.ts';
import type { ServedResource } from './resources.ts';
import { forbidden, modifiedMeanwhile, serverFault } from './status-error.ts';
import type { StoredObject } from './store.ts';

/** A version that a write names must be the current one; `0` names none. @throws StatusError 409, 500 */
export function checkVersion(type: ServedResource, { metadata }: Draft, current: StoredObject): void {
  const { name, resourceVersion } = metadata;
  if (!resourceVersion || resourceVersion === '0') return;
  if (!/^\d+$/.test(resourceVersion)) {
    throw serverFault(`strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`);
  }
  if (resourceVersion !== current.metadata.resourceVersion) throw modifiedMeanwhile(type, name);
}

/** Nothing new comes into a namespace that is going. @throws StatusError 403 */
export function checkNotTerminating(type: ServedResource, name: string, { metadata }: StoredObject): void {
  if (metadata.deletionTimestamp === undefined) return;
  const namespace = metadata.name;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw forbidden(type, name, why, [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ]);
}
