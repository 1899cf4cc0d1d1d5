// Sizes as people write them: "64MiB". A bare number is refused, since nobody can tell its unit.
const units = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const;

/** Thrown by {@link parseSize}; the message says what was expected and what was found. */
export class SizeError extends Error {
  override readonly name = 'SizeError';
  readonly code = 'LIBERATOR_SIZE';
}

/**
 * Bytes of a size such as "64MiB".
 *
 * @throws {@link SizeError} for anything else, and for less than 64KiB.
 */
export function parseSize(text: unknown): number {
  const [, digits = '', unit = ''] = /^(\d{1,6})(KiB|MiB|GiB)$/.exec(String(text).trim()) ?? [];
  const bytes = Number(digits) * (units[unit as keyof typeof units] ?? 0);
  if (typeof text === 'string' && bytes >= 64 * units.KiB) return bytes;
  throw new SizeError(`expected a size of at least 64KiB such as "64MiB", found ${JSON.stringify(text)}`);
}
