// What can't be read may be worth more than what would be written over it.
import type { Invariant } from './invariant.ts';

export const unreadableRecordsAreLeftAlone: Invariant = {
  name: 'unreadable-records-are-left-alone',
  sentence: 'Nobody writes over or deletes a record that it can’t read.',
  watch: (world) => ({
    applied({ user, write, status }) {
      if (write.kind !== 'record' || status >= 300 || write.name === undefined) return undefined;
      const spoiled = world.human.spoiled.get(write.name);
      return spoiled && `${user} did ${write.method} ${write.name}, which nobody can read`;
    },
  }),
};
