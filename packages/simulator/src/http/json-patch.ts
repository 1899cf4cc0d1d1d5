// JSON Patch (RFC 6902) on plain values: a list of operations that all work or none does. Where the real server's
// library is more lenient than the RFC, so is this: a client that gets away with something there must get away here.
import { copyOf, define, isObject, sameValue } from '../store/wire-value.ts';

/** One operation of a JSON patch. */
export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** Thrown when an operation can't be applied; nothing has been changed then. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
  readonly code = 'LIBERATOR_PATCH';
}

/** The patched copy of `target`. @throws {@link PatchError} */
export function applyJsonPatch(target: unknown, operations: readonly PatchOperation[]): unknown {
  return operations.reduce((document, operation) => applyOperation(document, operation), copyOf(target));
}

function applyOperation(document: unknown, operation: PatchOperation): unknown {
  const path = pointerOf(operation.path);
  switch (operation.op) {
    case 'add':
      return add(document, path, copyOf(valueIn(operation)));
    case 'replace':
      return replace(document, path, copyOf(valueIn(operation)));
    case 'remove':
      read(document, path);
      return remove(document, path);
    case 'test':
      if (!sameValue(readOrNull(document, path), valueIn(operation))) {
        throw new PatchError(`testing value ${operation.path} failed`);
      }
      return document;
    case 'move': {
      const from = pointerOf(operation.from);
      if (path.length > from.length && from.every((part, index) => path[index] === part)) {
        throw new PatchError(
          `expected a target outside of ${operation.from}, found ${operation.path} inside of it`,
        );
      }
      const value = read(document, from);
      return add(remove(document, from), path, value);
    }
    case 'copy':
      return add(document, path, copyOf(read(document, pointerOf(operation.from))));
    default:
      throw new PatchError(
        `expected add, replace, remove, test, move or copy, found ${JSON.stringify(operation.op)}`,
      );
  }
}

function valueIn(operation: PatchOperation): unknown {
  if (!Object.hasOwn(operation, 'value')) {
    throw new PatchError(`expected a value for ${operation.op} of ${operation.path}, found none`);
  }
  return operation.value;
}

/** The parts of a JSON pointer (RFC 6901). */
function pointerOf(pointer: unknown): string[] {
  if (pointer === '') return [];
  if (typeof pointer !== 'string' || !pointer.startsWith('/')) {
    throw new PatchError(
      `expected a JSON pointer such as "/metadata/name", found ${JSON.stringify(pointer)}`,
    );
  }
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function read(document: unknown, path: readonly string[]): unknown {
  let value = document;
  for (const part of path) {
    if (Array.isArray(value)) value = value[indexIn(value, part, value.length - 1)];
    else if (isObject(value) && Object.hasOwn(value, part)) value = value[part];
    else throw new PatchError(`expected something at /${path.join('/')}, found nothing`);
  }
  return value;
}

/** A field that isn't there tests equal to null, as long as what should hold it is there. */
function readOrNull(document: unknown, path: readonly string[]): unknown {
  const last = path.at(-1);
  if (last === undefined) return document;
  const parent = read(document, path.slice(0, -1));
  return isObject(parent) && !Object.hasOwn(parent, last) ? null : read(document, path);
}

type Container = unknown[] | { [field: string]: unknown };

function parentOf(document: unknown, path: readonly string[]): Container {
  const parent = read(document, path.slice(0, -1));
  if (Array.isArray(parent) || isObject(parent)) return parent;
  throw new PatchError(
    `expected a list or an object around /${path.join('/')}, found ${JSON.stringify(parent)}`,
  );
}

function add(document: unknown, path: readonly string[], value: unknown): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = parentOf(document, path);
  if (Array.isArray(parent))
    parent.splice(last === '-' ? parent.length : indexIn(parent, last, parent.length), 0, value);
  else define(parent, last, value);
  return document;
}

function replace(document: unknown, path: readonly string[], value: unknown): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = parentOf(document, path);
  if (Array.isArray(parent)) parent[indexIn(parent, last, parent.length - 1)] = value;
  else define(parent, last, value);
  return document;
}

function remove(document: unknown, path: readonly string[]): unknown {
  const last = path.at(-1);
  if (last === undefined) return null;
  const parent = parentOf(document, path);
  if (Array.isArray(parent)) parent.splice(indexIn(parent, last, parent.length - 1), 1);
  else delete parent[last];
  return document;
}

function indexIn(list: readonly unknown[], part: string, largest: number): number {
  const index = /^(0|[1-9]\d*)$/.test(part) ? Number(part) : Number.NaN;
  if (index <= largest) return index;
  throw new PatchError(
    `expected an index up to ${largest} of a list of ${list.length}, found ${JSON.stringify(part)}`,
  );
}
