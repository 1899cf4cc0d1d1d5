// What was done and what was not done, and why, is told: held against which nodes really are silent.
import type { Invariant } from './invariant.ts';

/** To believe that a node is dead, or that too many are to believe it of any, and to say so. */
const toldWithinMs = 150_000;

/** An Event more takes this much, since they leave at a bounded rate. */
const perNodeMs = 2_000;

const lookEveryMs = 1_000;

export const nothingIsSilent: Invariant = {
  name: 'nothing-is-silent',
  sentence:
    'Each node that stays silent is told about by an Event within minutes in which nothing comes between the replicas and the API server, whether it is taken over or not.',
  watch: (world) => {
    const toldAt = new Map<string, number>();
    /** By uid. */
    const seenAt = new Map<string, number>();
    let lookAt = 0;
    return {
      sent({ write }) {
        const { kind, about } = write;
        if (kind === 'event' && about?.kind === 'Node' && about.name !== undefined) {
          toldAt.set(about.name, world.clock.now());
        }
        return undefined;
      },
      check() {
        const now = world.clock.now();
        if (now < lookAt) return undefined;
        lookAt = now + lookEveryMs;
        const untold: string[] = [];
        let silent = 0;
        for (const { metadata } of world.truth.nodes) {
          const { name, uid } = metadata;
          const appearedAt = seenAt.get(uid) ?? now;
          seenAt.set(uid, appearedAt);
          const heardAt = world.truth.heartbeats.lastAt(name);
          // A Node of which nobody was ever heard is no death.
          if (heardAt === undefined || heardAt < appearedAt) continue;
          if (now - heardAt < toldWithinMs) continue;
          silent++;
          if ((toldAt.get(name) ?? Number.NEGATIVE_INFINITY) >= heardAt) continue;
          const waited = now - Math.max(heardAt, world.quietSince);
          if (waited > toldWithinMs)
            untold.push(`${name} (silent for ${Math.round((now - heardAt) / 1_000)} s)`);
        }
        const worst = untold.length > 0 && now - world.quietSince > toldWithinMs + silent * perNodeMs;
        return worst ? `no Event about ${untold.join(', ')}` : undefined;
      },
    };
  },
};
