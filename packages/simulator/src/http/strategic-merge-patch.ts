// Kubernetes' strategic merge patch: as a merge patch, but some lists merge item by item, by a key of theirs.
import { copyOf, define, isObject, type JsonObject, sameValue } from '../store/wire-value.ts';

/** Lists that merge, by the name of their field; others are replaced, a node's taints and a pod's tolerations among them. */
const mergeKeys: ReadonlyMap<string, string> = new Map([
  ['conditions', 'type'],
  ['addresses', 'type'],
  ['containers', 'name'],
  ['initContainers', 'name'],
  ['ephemeralContainers', 'name'],
  ['volumes', 'name'],
  ['env', 'name'],
  ['volumeMounts', 'mountPath'],
  ['volumeDevices', 'devicePath'],
  ['imagePullSecrets', 'name'],
  ['secrets', 'name'],
  ['ownerReferences', 'uid'],
  ['hostAliases', 'ip'],
  ['podIPs', 'ip'],
  ['topologySpreadConstraints', 'topologyKey'],
]);

/** Lists of plain values that merge as sets. */
const mergedSets = new Set(['finalizers']);

/** Two kinds of `ports`: a container's have a `containerPort`, a service's only a `port`. */
function mergeKeyOf(field: string, items: readonly unknown[]): string | undefined {
  if (field !== 'ports') return mergeKeys.get(field);
  return items.some((item) => isObject(item) && 'containerPort' in item) ? 'containerPort' : 'port';
}

/** The patched copy of `target`. */
export function applyStrategicMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return copyOf(patch);
  const { $patch: directive, $retainKeys: retained, ...fields } = patch;
  if (directive === 'delete') return {};
  if (directive === 'replace') return withoutNulls(fields);
  const result: JsonObject = isObject(target) ? { ...target } : {};
  if (Array.isArray(retained)) {
    for (const field of Object.keys(result)) if (!retained.includes(field)) delete result[field];
  }
  for (const [field, value] of Object.entries(fields)) mergeField(result, field, value);
  return result;
}

const removalPrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

function mergeField(result: JsonObject, field: string, value: unknown): void {
  if (field.startsWith(removalPrefix)) {
    const name = field.slice(removalPrefix.length);
    const gone = Array.isArray(value) ? value : [];
    const before = result[name];
    if (Array.isArray(before)) result[name] = before.filter((item) => !gone.includes(item));
    return;
  }
  // The order of merged lists carries no meaning for anything that the simulator does.
  if (field.startsWith(orderPrefix)) return;
  if (value === null) {
    delete result[field];
    return;
  }
  const before = Object.hasOwn(result, field) ? result[field] : undefined;
  define(
    result,
    field,
    Array.isArray(value) ? mergeList(field, before, value) : applyStrategicMergePatch(before, value),
  );
}

function mergeList(field: string, target: unknown, patch: readonly unknown[]): unknown[] {
  const before: readonly unknown[] = Array.isArray(target) ? target : [];
  if (mergedSets.has(field)) return [...before, ...patch.filter((item) => !before.includes(item))];
  const key = mergeKeyOf(field, [...before, ...patch]);
  if (key === undefined) return copyOf([...patch]);
  if (patch.some((item) => isObject(item) && item['$patch'] === 'replace')) {
    return copyOf(patch.filter((item) => !(isObject(item) && item['$patch'] === 'replace')));
  }
  return patch.reduce<unknown[]>((items, item) => mergeItem(items, item, key), [...before]);
}

function mergeItem(items: readonly unknown[], item: unknown, key: string): unknown[] {
  const isSame = (one: unknown): boolean => isObject(one) && isObject(item) && sameValue(one[key], item[key]);
  if (isObject(item) && item['$patch'] === 'delete') return items.filter((one) => !isSame(one));
  if (!items.some(isSame)) return [...items, applyStrategicMergePatch(undefined, item)];
  return items.map((one) => (isSame(one) ? applyStrategicMergePatch(one, item) : one));
}

function withoutNulls(fields: JsonObject): JsonObject {
  return applyStrategicMergePatch({}, fields) as JsonObject;
}
