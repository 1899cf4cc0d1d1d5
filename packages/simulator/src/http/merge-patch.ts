// JSON Merge Patch (RFC 7386): objects merge field by field, null removes, everything else replaces.
import { copyOf, define, isObject, type JsonObject } from '../store/wire-value.ts';

/** The patched copy of `target`. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return copyOf(patch);
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete result[field];
    else
      define(result, field, applyMergePatch(Object.hasOwn(result, field) ? result[field] : undefined, value));
  }
  return result;
}
