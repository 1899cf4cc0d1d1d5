// Which objects a list or a watch in memory is about: selectors of labels and fields as a server reads them.
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { Selection } from '../kubernetes/reader.ts';

/** The order in which a server lists. */
export function byNamespaceAndName(
  { metadata: a }: KubernetesObject,
  { metadata: b }: KubernetesObject,
): number {
  return compare(a.namespace ?? '', b.namespace ?? '') || compare(a.name, b.name);
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

export function isSelected(
  { namespace, fieldSelector, labelSelector }: Selection,
  object: KubernetesObject,
): boolean {
  if (namespace !== undefined && object.metadata.namespace !== namespace) return false;
  const fields = requirementsIn(fieldSelector).every((one) => one.holds(fieldOf(object, one.key)));
  return fields && requirementsIn(labelSelector).every((one) => one.holds(object.metadata.labels?.[one.key]));
}

interface Requirement {
  readonly key: string;
  holds(value: string | undefined): boolean;
}

/** `a=b`, `a==b`, `a!=b`, `a` and `!a`, with commas between them. */
function requirementsIn(selector = ''): readonly Requirement[] {
  return selector
    .split(',')
    .filter((term) => term !== '')
    .map((term) => {
      const [, not, key = '', operator = '', wanted] =
        /^(!?)([^=!\s()]+)(?:(!=|==?)([^=!\s()]*))?$/.exec(term) ?? [];
      if (key === '') throw new RangeError(`expected a selector that this reader knows, found ${term}`);
      if (operator === '') return { key, holds: (value) => (value === undefined) === (not === '!') };
      return { key, holds: (value) => (value === wanted) === (operator !== '!=') };
    });
}

/** `metadata.name`, `spec.nodeName`. */
function fieldOf(object: KubernetesObject, path: string): string | undefined {
  let value: unknown = object;
  for (const part of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[part];
  return typeof value === 'string' ? value : undefined;
}
