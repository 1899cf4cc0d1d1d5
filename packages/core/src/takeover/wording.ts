// Numbers in sentences that people read.

/** `1 pod`, `3 pods`, `no pods`. */
export function counted(count: number, noun: string): string {
  if (count === 0) return `no ${noun}s`;
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** With every number as `#`: seconds that count up are no news. */
export function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+/g, '#');
}
