// A death is taken over once, whoever leads meanwhile.
import type { Invariant } from './invariant.ts';

export const oneTakeoverPerDeath: Invariant = {
  name: 'one-takeover-per-death',
  sentence: 'Each death has at most one takeover that was not undone.',
  watch: (world) => ({
    applied({ write, status }) {
      if (write.kind !== 'record' || status >= 300) return undefined;
      const completed = new Map<string, string>();
      for (const { id, deathId, result, overtaken } of world.truth.records) {
        // One that was overtaken took nothing: another one was opened while its record could not be read.
        if (result === 'undone' || overtaken !== undefined) continue;
        const other = completed.get(deathId);
        if (other !== undefined) return `death ${deathId} has the takeovers ${other} and ${id}`;
        completed.set(deathId, id);
      }
      return undefined;
    },
  }),
};
