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

/** With every number as `#`: seconds that count up are no news. */
export function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+/g, '#');
}
