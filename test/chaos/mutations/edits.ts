// Builds defects into the source of core as it is loaded, for those that no wrapping of its parts could bring about.
import { registerHooks } from 'node:module';
import type { Edit } from '../world/replica.ts';

const root = '/packages/core/src/';

/**
 * From now on files are loaded as edited; what is loaded already stays as it is.
 *
 * @throws Error, when the file is loaded, unless the text to be replaced is there exactly once: a defect that isn't built
 *   in would never be caught.
 */
export function loadEdited(edits: readonly Edit[]): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const own = edits.filter(({ file }) => url.endsWith(`${root}${file}`));
      if (own.length === 0) return loaded;
      const text =
        typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
      return { ...loaded, source: own.reduce(edited, text) };
    },
  });
}

/** The text with the defect in it. @throws Error unless what is to be replaced is there exactly once. */
export function edited(text: string, { file, find, replace }: Edit): string {
  const places = text.split(find).length - 1;
  if (places === 1) return text.replace(find, () => replace);
  throw new Error(`${root}${file}: expected this exactly once, found it ${places} times: ${find}`);
}
