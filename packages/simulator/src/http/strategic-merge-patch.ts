// Kubernetes' strategic merge patch: as a merge patch, but some lists merge item by item, by a key of theirs.
import { copyOf, define, isObject, type JsonObject } from '../store/wire-value.ts';

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
  if (mergedSets.has(field)) return inServerOrder(before, patch, (item) => item);
  const key = mergeKeyOf(field, [...before, ...patch]);
  if (key === undefined) return copyOf([...patch]);
  if (patch.some((item) => directiveOf(item) === 'replace')) {
    return copyOf(patch.filter((item) => directiveOf(item) !== 'replace'));
  }
  const keyIn = (item: unknown): unknown => (isObject(item) ? item[key] : undefined);
  const gone = new Set(patch.filter((item) => directiveOf(item) === 'delete').map(keyIn));
  const kept = before.filter((item) => !gone.has(keyIn(item)));
  const merged = patch
    .filter((item) => directiveOf(item) !== 'delete')
    .map((item) =>
      applyStrategicMergePatch(
        kept.find((one) => keyIn(one) === keyIn(item)),
        item,
      ),
    );
  return inServerOrder(kept, merged, keyIn);
}

const directiveOf = (item: unknown): unknown => (isObject(item) ? item['$patch'] : undefined);

/** Items that were there stay where they were; new ones come as early as the patch's own order lets them. */
function inServerOrder(
  before: readonly unknown[],
  patched: readonly unknown[],
  keyIn: (item: unknown) => unknown,
): unknown[] {
  const places = new Map(before.map((item, index) => [keyIn(item), index]));
  const untouched = before.filter((item) => !patched.some((one) => keyIn(one) === keyIn(item)));
  const result: unknown[] = [];
  for (const item of patched) {
    const place = places.get(keyIn(item)) ?? -1;
    while (untouched.length > 0 && (places.get(keyIn(untouched[0])) ?? 0) < place)
      result.push(untouched.shift());
    result.push(item);
  }
  return [...result, ...untouched];
}

function withoutNulls(fields: JsonObject): JsonObject {
  return applyStrategicMergePatch({}, fields) as JsonObject;
}
