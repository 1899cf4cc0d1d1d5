// Which files of a fencer are not on this machine: passwords are mounted where the agent runs, and not where people sit.
import { existsSync } from 'node:fs';
import { type FenceTarget, fillIn } from '@liberator/core';
import type { Config } from '../config/config.ts';
import type { Checked } from './fence-text.ts';

/** Of fencers that are not ready, each once. */
export function missingFiles(
  checked: readonly Checked[],
  fencers: Config['fencers'],
  target: FenceTarget,
  isThere: (path: string) => boolean = existsSync,
): readonly string[] {
  const names = checked.flatMap(({ fencer, outcome }) => (outcome === 'not-ready' ? [fencer] : []));
  const paths = names.flatMap((name) => textsIn(Object.hasOwn(fencers, name) ? fencers[name] : undefined));
  return [...new Set(paths.flatMap((path) => pathFor(path, target)))].filter((path) => !isThere(path));
}

/** Every text that is an absolute path, wherever a driver has it. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.startsWith('/') ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** What can't be filled in is no file, and the driver says so itself. */
function pathFor(template: string, target: FenceTarget): readonly string[] {
  try {
    return [fillIn(template, target, 'segment')];
  } catch {
    return [];
  }
}
