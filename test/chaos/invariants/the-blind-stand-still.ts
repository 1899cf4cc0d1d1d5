// What can't be seen must not be judged: held against what really was to be seen.
import { destructive, type Write } from '../world/writes.ts';
import type { Invariant } from './invariant.ts';

/** Longer than anybody may take to notice, and than an act that was decided before may be on its way. */
const noticedAfterMs = 25_000;

/** Half of what the sight rules call together: what began this close was one event for certain. */
const togetherMs = 60_000;

export const theBlindStandStill: Invariant = {
  name: 'the-blind-stand-still',
  sentence:
    'Nobody marks, deletes or switches off a node while it has been blind by its own account for long, or while most nodes fell silent together.',
  watch: (world) => {
    const blindSince = new Map<string, number>();
    /** Takeovers whose release has begun, by the id of their record. */
    const begun = new Set<string>();
    /** A release that has begun goes on: half of it would help nobody. */
    const goesOn = ({ kind, namespace = '', name = '' }: Write): boolean => {
      if (kind === 'delete-node') return false;
      const node = kind === 'delete-pod' ? world.truth.pod(namespace, name)?.spec?.nodeName : name;
      const open = world.truth.records.filter((one) => one.node.name === node && one.result === undefined);
      const isBegun = open.some(({ id }) => begun.has(id));
      for (const { id } of open) begun.add(id);
      return kind === 'delete-pod' && (isBegun || open.length === 0);
    };
    const silentTogether = (): string | undefined => {
      const known = new Set(world.truth.nodes.map(({ metadata }) => metadata.name));
      const mute = [...world.truth.muteFor(noticedAfterMs)].filter(([name]) => known.has(name));
      let together = 0;
      for (const [, from] of mute) {
        const cluster = mute.filter(([, since]) => since >= from && since - from <= togetherMs).length;
        together = Math.max(together, cluster);
      }
      const listening = known.size - (mute.length - together);
      return together > listening / 2 ? `${together} of ${listening} nodes fell silent together` : undefined;
    };
    return {
      check() {
        for (const { name, blind } of world.replicas) {
          if (blind.length === 0) blindSince.delete(name);
          else if (!blindSince.has(name)) blindSince.set(name, world.clock.now());
        }
        return undefined;
      },
      sent({ replica, write }) {
        if (!destructive.has(write.kind) || goesOn(write)) return undefined;
        const what = `${replica.name} sent ${write.kind} of ${write.name}`;
        const since = blindSince.get(replica.name);
        if (since !== undefined && world.clock.now() - since > noticedAfterMs) {
          return `${what} although it was blind: ${replica.blind.join('; ')}`;
        }
        const silent = silentTogether();
        return silent === undefined ? undefined : `${what} although ${silent}`;
      },
      fenced(machine) {
        const silent = silentTogether();
        return silent === undefined ? undefined : `${machine.name} was switched off although ${silent}`;
      },
    };
  },
};
