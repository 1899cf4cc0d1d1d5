// Copying, freezing and comparing JSON values: stored objects are shared with every reader, so nobody may write to them.

/** A JSON object whose fields are looked at one by one. */
export type JsonObject = { [field: string]: unknown };

/** Whether `value` is a JSON object, which neither null nor an array is. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A deep copy that may be written to. Fields that are `undefined` are left out, as JSON does. */
export function copyOf<T>(value: T): T {
  return copy(value, false) as T;
}

/** A deep copy that nobody can write to. */
export function frozenCopyOf<T>(value: T): T {
  return copy(value, true) as T;
}

function copy(value: unknown, freeze: boolean): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const list = value.map((item: unknown) => copy(item ?? null, freeze));
    return freeze ? Object.freeze(list) : list;
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') return copy(value.toJSON(), freeze);
  const result: JsonObject = {};
  for (const [field, item] of Object.entries(value)) {
    // `__proto__` is an ordinary key in JSON and must stay one.
    if (item !== undefined) define(result, field, copy(item, freeze));
  }
  return freeze ? Object.freeze(result) : result;
}

/** Sets a field that came from outside, whatever its name is. */
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
  const fields = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...fields].every((field) => sameMeaning(own(left, field), own(right, field)));
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
