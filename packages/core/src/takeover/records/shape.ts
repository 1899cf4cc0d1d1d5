// Finds the first thing that is wrong with data that somebody else wrote, and says where it is. Pure, and never throws.

/**
 * What a value must look like. `accepts` is never there: it ties a shape to the type that it stands for, so that a field
 * which is added to the type and not to its shape is an error of the type checker.
 */
export interface Shape<T> {
  /** What is wrong with the value, as a sentence that names `at`; undefined when nothing is. */
  readonly fault: (value: unknown, at: string) => string | undefined;
  readonly accepts?: T;
}

/** That of a field that may be missing. */
export interface OptionalShape<T> extends Shape<T> {
  readonly optional: true;
}

type Fields<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? OptionalShape<Exclude<T[K], undefined>>
    : Shape<T[K]>;
};

const longestFound = 40;

function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  const words = JSON.stringify(value);
  return words.length > longestFound ? `${words.slice(0, longestFound)}...` : words;
}

function expecting<T>(expected: string, fits: (value: unknown) => boolean): Shape<T> {
  return {
    fault: (value, at) => (fits(value) ? undefined : `expected ${expected} as ${at}, found ${found(value)}`),
  };
}

export const text: Shape<string> = expecting('text', (value) => typeof value === 'string');

/** What names something: empty, it would name nothing, or everything. */
export const name: Shape<string> = expecting(
  'text that is not empty',
  (value) => typeof value === 'string' && value !== '',
);

export const flag: Shape<boolean> = expecting('true or false', (value) => typeof value === 'boolean');

export const number: Shape<number> = expecting('a number', (value) => Number.isFinite(value));

/** ISO 8601. */
export const time: Shape<string> = expecting(
  'a time in ISO 8601',
  (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
);

/** A whole number from 0 on. */
export function count(most: number): Shape<number> {
  return expecting(
    `a whole number from 0 to ${most}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most,
  );
}

/** One of some words, each a key: the type checker then knows that none is missing. */
export function word<T extends string>(words: Readonly<Record<T, true>>): Shape<T> {
  return expecting(
    `one of ${Object.keys(words).join(', ')}`,
    (value) => typeof value === 'string' && Object.hasOwn(words, value),
  );
}

export function exactly<T extends string | number | boolean>(wanted: T): Shape<T> {
  return expecting(JSON.stringify(wanted), (value) => value === wanted);
}

export function optional<T>(shape: Shape<T>): OptionalShape<T> {
  return {
    optional: true,
    fault: (value, at) => (value === undefined ? undefined : shape.fault(value, at)),
  };
}

export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return {
    fault: (value, at) =>
      Array.isArray(value)
        ? firstFault(value.entries(), (one, index) => item.fault(one, `${at}[${index}]`))
        : `expected a list as ${at}, found ${found(value)}`,
  };
}

/** Any keys, and below each the same. */
export function mapping<T>(item: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return {
    fault: (value, at) =>
      isMapping(value)
        ? firstFault(Object.entries(value), (one, key) => item.fault(one, `${at}[${JSON.stringify(key)}]`))
        : `expected a mapping as ${at}, found ${found(value)}`,
  };
}

/**
 * These fields, each as it must be. Others may be there: a later version of the same format may add some, and whoever
 * writes the value again has to keep them.
 */
export function fields<T extends object>(shapes: Fields<T>): Shape<T> {
  const all = Object.entries<Shape<unknown>>(shapes as Record<string, Shape<unknown>>);
  return {
    fault: (value, at) =>
      isMapping(value)
        ? firstFault(
            all.map(([key, shape]) => [key, shape] as const),
            (shape, key) =>
              shape.fault(
                Object.hasOwn(value, key) ? value[key] : undefined,
                at === '' ? key : `${at}.${key}`,
              ),
          )
        : `expected a mapping as ${at || 'the whole'}, found ${found(value)}`,
  };
}

/** No other keys than these, all of them optional. */
export function only<T extends object>(shapes: Fields<T>): Shape<T> {
  const known = fields(shapes);
  return {
    fault: (value, at) => {
      const stranger = isMapping(value) && Object.keys(value).find((key) => !Object.hasOwn(shapes, key));
      if (typeof stranger === 'string') {
        return `expected only ${Object.keys(shapes).join(', ')} in ${at}, found ${found(stranger)}`;
      }
      return known.fault(value, at);
    },
  };
}

/** One of several shapes, told apart by the word in the field `tag`. */
export function tagged<Tag extends string, T extends Readonly<Record<Tag, string>>>(
  tag: Tag,
  variants: { readonly [K in T[Tag]]: Shape<Extract<T, Readonly<Record<Tag, K>>>> },
): Shape<T> {
  return {
    fault: (value, at) => {
      if (!isMapping(value)) return `expected a mapping as ${at}, found ${found(value)}`;
      const key = Object.hasOwn(value, tag) ? value[tag] : undefined;
      return typeof key === 'string' && Object.hasOwn(variants, key)
        ? variants[key as T[Tag]].fault(value, at)
        : `expected one of ${Object.keys(variants).join(', ')} as ${at}.${tag}, found ${found(key)}`;
    },
  };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function firstFault<K, V>(
  entries: Iterable<readonly [K, V]>,
  fault: (value: V, key: K) => string | undefined,
): string | undefined {
  for (const [key, value] of entries) {
    const problem = fault(value, key);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
