// Where text goes, and how wide it may be there.

/** The part of a stream that is used. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** Lines of a pipe are nobody's to break. */
export function widthOf({ isTTY, columns }: OutputStream): number | undefined {
  return isTTY === true ? (columns ?? 80) : undefined;
}

export function lines(text: readonly string[]): string {
  return `${text.join('\n')}\n`;
}

export function json(value: unknown, indent?: number): string {
  return `${JSON.stringify(value, undefined, indent)}\n`;
}
