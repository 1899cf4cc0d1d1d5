// Numbers in sentences that people read.

/** `1 pod`, `3 pods`, `no pods`. */
export function counted(count: number, noun: string): string {
  if (count === 0) return `no ${noun}s`;
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `default/db-0, shop/web-1`. */
export function namesOf(objects: readonly { readonly namespace: string; readonly name: string }[]): string {
  return objects.map(({ namespace, name }) => `${namespace}/${name}`).join(', ');
}

/** A number that counts or measures something, such as `3`, `3,598`, `45s`, `1m30s`, `34%`; not one that is part of a name or of a time. */
const quantity =
  /(?<![\p{L}\d_./:-]|\d,)\d+(?:[.,]\d+)*(?:(?:ms|s|m|h|d)(?:\d+(?:ms|s|m|h|d))*|[KMGT]i?B?|%)?(?![\p{L}\d_/-]|[.:]\w)/gu;

/**
 * With every quantity as `#`: seconds that count up or down are no news. Numbers in names stay: node-1 is not node-2.
 */
export function withoutNumbers(text: string): string {
  return text.replaceAll(quantity, '#');
}
