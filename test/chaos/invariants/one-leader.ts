// The first promise of the election.
import type { Invariant } from './invariant.ts';

export const oneLeader: Invariant = {
  name: 'one-leader',
  sentence: 'At no moment do two replicas hold a valid term.',
  watch: (world) => ({
    check() {
      // One that is frozen has no moments.
      const leading = world.replicas.filter((replica) => replica.running && replica.leading !== undefined);
      if (leading.length < 2) return undefined;
      return leading.map(({ name, leading: term }) => `${name} leads epoch ${term?.epoch}`).join(', ');
    },
  }),
};
