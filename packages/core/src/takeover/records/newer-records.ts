// Records that a newer version wrote: the takeovers that they tell of are that version's to go on with. Pure.
import type { UnreadableRecord } from '../cluster.ts';
import { recordName } from './names.ts';

/** The name of a record about a node of this name that a newer version wrote. */
export function newerRecordAbout(setAside: readonly UnreadableRecord[], node: string): string | undefined {
  return setAside.find(({ kind, node: about }) => kind === 'newer' && about === node)?.name;
}

/** The same for one death: a record that does not say which node it is about may still be about that. */
export function newerRecordOf(
  setAside: readonly UnreadableRecord[],
  node: string,
  deathId: string,
): string | undefined {
  if (setAside.length === 0) return undefined;
  const ofDeath = recordName(deathId);
  const found = setAside.find(
    ({ name, kind }) => kind === 'newer' && (name === ofDeath || name.startsWith(`${ofDeath}-`)),
  );
  return found?.name ?? newerRecordAbout(setAside, node);
}
