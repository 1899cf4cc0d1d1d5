// Which files of fencers are not on this machine: passwords are mounted where the agent runs, and not where people sit.
import { existsSync } from 'node:fs';
import { type FenceTarget, fillIn, isTemplate } from '@liberator/core';
import type { Config } from '../config/config.ts';

type IsThere = (path: string) => boolean;

/** Those that fencers of these names need for a machine, each once. */
export function missingFilesFor(
  target: FenceTarget,
  fencers: Config['fencers'],
  names: readonly string[],
  isThere: IsThere = existsSync,
): readonly string[] {
  const paths = names.flatMap((name) => textsIn(Object.hasOwn(fencers, name) ? fencers[name] : undefined));
  return [...new Set(paths.flatMap((path) => pathFor(path, target)))].filter((path) => !isThere(path));
}

/** Those that any of them needs whatever the machine. */
export function missingFilesOf(fencers: Config['fencers'], isThere: IsThere = existsSync): readonly string[] {
  return [...new Set(textsIn(fencers))].filter((path) => !isTemplate(path) && !isThere(path));
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
