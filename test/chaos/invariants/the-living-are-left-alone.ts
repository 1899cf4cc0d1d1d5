// What the whole project is about not doing.
import { destructive } from '../world/writes.ts';
import type { Invariant } from './invariant.ts';

/**
 * A node that has just come back can't be known to everybody at once: a look may be as old as a request may last
 * (10 s), and one that is on its way may arrive later (8 s here).
 */
const knownAfterMs = 20_000;

export const theLivingAreLeftAlone: Invariant = {
  name: 'the-living-are-left-alone',
  sentence:
    'No node is deleted, marked out of service or switched off, and no pod of it forced away, while its machine is on and in reach.',
  watch: (world) => {
    const wrong = (machine: string, what: string): string | undefined => {
      const reachable = world.truth.reachableForMs(machine);
      return reachable > knownAfterMs
        ? `${what} ${machine}, which has been on and in reach for ${Math.round(reachable)} ms`
        : undefined;
    };
    return {
      sent({ replica, write }) {
        if (!destructive.has(write.kind)) return undefined;
        const { namespace = '', name = '', uid } = write;
        const pod = write.kind === 'delete-pod' ? world.truth.pod(namespace, name) : undefined;
        // Meant for an object that is no longer there: the server refuses it.
        if (pod !== undefined && uid !== undefined && pod.metadata.uid !== uid) return undefined;
        const machine = write.kind === 'delete-pod' ? pod?.spec?.nodeName : name;
        return machine === undefined ? undefined : wrong(machine, `${replica.name} sent ${write.kind} about`);
      },
      fenced: (machine) => wrong(machine.name, 'the switch was used on'),
    };
  },
};
