// Twice differs from once where something is destroyed.
import { destructive } from '../world/writes.ts';
import type { Invariant } from './invariant.ts';

export const oncePerObject: Invariant = {
  name: 'once-per-object',
  sentence:
    'A destructive write succeeds at most once for one object, and names the uid of the object that it is meant for.',
  watch: (world) => {
    const done = new Set<string>();
    return {
      sent({ replica, write }) {
        if (!destructive.has(write.kind)) return undefined;
        const bare =
          write.uid === undefined || (write.kind !== 'delete-pod' && write.resourceVersion === undefined);
        return bare ? `${replica.name} sent an unconditional ${write.kind} of ${write.name}` : undefined;
      },
      applied({ user, write, status }) {
        const deletion = write.kind === 'delete-node' || write.kind === 'delete-pod';
        if (!deletion || status >= 300) return undefined;
        const key = `${write.kind} ${write.uid ?? world.clock.now()}`;
        if (done.has(key)) return `${user} succeeded a second time with ${key} of ${write.name}`;
        done.add(key);
        return undefined;
      },
    };
  },
};
