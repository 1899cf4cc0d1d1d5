// Which values the Helm chart takes, so that none is shown that it would refuse.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from '../documents/documents.ts';

type Mapping = Readonly<Record<string, unknown>>;

const chart = 'packages/agent/chart';

const defaults = parse(readFileSync(join(root, chart, 'values.yaml'), 'utf8')) as Mapping;

/** Taken as they are: what is below them is checked by somebody else, or is free to choose. */
const handedOn = new Set(['config']);

/** The paths of a values file, of the chart's own keys only: `image.repository`. */
export function pathsOf(values: Mapping): readonly string[] {
  return Object.entries(values).flatMap(([key, value]) =>
    isMapping(value) && !handedOn.has(key) ? pathsOf(value).map((path) => `${key}.${path}`) : [key],
  );
}

/** Whether the chart has a value at such a path; below an empty mapping anything may be. */
export function isChartValue(path: string): boolean {
  let value: unknown = defaults;
  for (const key of path.split('.')) {
    if (!isMapping(value)) return false;
    if (Object.keys(value).length === 0) return true;
    if (!Object.hasOwn(value, key)) return false;
    value = value[key];
  }
  return true;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
