// Copying, freezing and comparing JSON values: stored objects are shared with every reader, so nobody may write to them.

/** A JSON object whose fields are looked at one by one. */
export type JsonObject = { [field: string]: unknown };

/** Whether `value` is a JSON object, which neither null nor an array is. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A deep copy that may be written to. Fields that are `undefined` are left out, as JSON does. */
export function copyOf<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => copy(item ?? null));
  if (isConvertible(value)) return copy(value.toJSON());
  const fields = value as JsonObject;
  const result: JsonObject = {};
  for (const field of Object.keys(fields)) {
    const item = fields[field];
    if (item !== undefined) define(result, field, copy(item));
  }
  return result;
}

/**
 * A deep copy that nobody can write to. What is the same in `like`, itself such a copy, is shared with it: the versions
 * of an object differ little, and many are kept.
 */
export function frozenCopyOf<T>(value: T, like?: unknown): T {
  return frozen(value, like) as T;
}

function frozen(value: unknown, like: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return frozenList(value, Array.isArray(like) ? like : []);
  if (isConvertible(value)) return frozen(value.toJSON(), like);
  // Nobody can have changed it since.
  if (value === like) return like;
  const fields = value as JsonObject;
  const before = isObject(like) ? like : {};
  const result: JsonObject = {};
  let shared = isObject(like);
  let count = 0;
  for (const field of Object.keys(fields)) {
    const item = fields[field];
    if (item === undefined) continue;
    count += 1;
    const old = Object.hasOwn(before, field) ? before[field] : undefined;
    const made = frozen(item, old);
    if (made !== old || old === undefined) shared = false;
    define(result, field, made);
  }
  return shared && count === Object.keys(before).length ? like : Object.freeze(result);
}

function frozenList(list: readonly unknown[], before: readonly unknown[]): unknown {
  const result = list.map((item, index) => frozen(item ?? null, before[index]));
  const shared =
    result.length > 0 &&
    result.length === before.length &&
    result.every((item, index) => item === before[index]);
  return shared ? before : Object.freeze(result);
}

function isConvertible(value: object): value is { toJSON(): unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

/** Sets a field that came from outside, whatever its name is: `__proto__` is an ordinary one in JSON, and must stay so. */
export function define(target: JsonObject, field: string, value: unknown): void {
  if (field === '__proto__') {
    Object.defineProperty(target, field, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[field] = value;
  }
}

/** Deep equality of JSON values; a field that is `undefined` counts as absent. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => sameValue(item, b[index]));
  }
  return sameFields(a as JsonObject, b as JsonObject);
}

function sameFields(a: JsonObject, b: JsonObject): boolean {
  for (const field of Object.keys(a)) {
    if (a[field] !== undefined && !(Object.hasOwn(b, field) && sameValue(a[field], b[field]))) return false;
  }
  return Object.keys(b).every((field) => b[field] === undefined || Object.hasOwn(a, field));
}

/**
 * Equality in the eyes of the real server, whose types tell neither null nor an empty list from an absent field.
 * A write that changes nothing in this sense is no write.
 */
export function sameMeaning(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isEmpty(a) && isEmpty(b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => sameMeaning(item, b[index]));
  }
  const left = a as JsonObject;
  const right = b as JsonObject;
  for (const field of Object.keys(left)) if (!sameMeaning(left[field], own(right, field))) return false;
  for (const field of Object.keys(right)) {
    if (!Object.hasOwn(left, field) && !isEmpty(right[field])) return false;
  }
  return true;
}

const own = (target: JsonObject, field: string): unknown =>
  Object.hasOwn(target, field) ? target[field] : undefined;

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** The fields of a value; none when it isn't an object. */
export function fieldsOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** The objects in a list; none when it isn't a list. */
export function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
