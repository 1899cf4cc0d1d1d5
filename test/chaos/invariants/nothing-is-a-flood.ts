// Whatever happens, and however often, it is told and written at a bounded rate.
import type { Invariant } from './invariant.ts';

const minute = 60_000;

/** How many of something may leave within what time. */
const limits = {
  /** A takeover tells its steps, what each of them waits for, and its end; a return as much again, and so does a new leader. */
  'Events about one node': { most: 30, withinMs: minute },
  /** Whatever the size of the fleet: a zone that dies is told of one node after another. */
  Events: { most: 40, withinMs: 1_000 },
  /** Each step is written when it begins, when it waits for something else, and when it ends. */
  'writes of one record': { most: 50, withinMs: minute },
  /** Marks on, marks off, and a few times again after a conflict. */
  'writes of one Node': { most: 12, withinMs: minute },
  'deletions of one pod': { most: 8, withinMs: minute },
  'new records of one node': { most: 4, withinMs: minute },
  /** More than replicas that are killed one after another come to. */
  'new terms': { most: 15, withinMs: minute },
} as const;

type Limited = keyof typeof limits;

export const nothingIsAFlood: Invariant = {
  name: 'nothing-is-a-flood',
  sentence: `No more leave than ${Object.entries(limits)
    .map(([what, { most, withinMs }]) => `${most} ${what} within ${withinMs / 1_000} s`)
    .join(', ')}.`,
  watch: (world) => {
    const recent = new Map<string, number[]>();
    let lastEpoch = 0;
    const count = (what: Limited, of: string): string | undefined => {
      const now = world.clock.now();
      const key = `${what} ${of}`;
      const times = recent.get(key) ?? [];
      while ((times[0] ?? now) < now - limits[what].withinMs) times.shift();
      times.push(now);
      recent.set(key, times);
      return times.length > limits[what].most
        ? `${times.length} ${what}${of === '' ? '' : ` (${of})`} within ${limits[what].withinMs / 1_000} s`
        : undefined;
    };
    return {
      sent({ write }) {
        const { kind, name = '', namespace = '', about } = write;
        switch (kind) {
          case 'event':
            return (
              count('Events', '') ??
              (about?.kind === 'Node' ? count('Events about one node', about.name ?? '') : undefined)
            );
          case 'record':
            return count('writes of one record', name);
          case 'change-node':
          case 'mark-out-of-service':
          case 'delete-node':
            return count('writes of one Node', name);
          case 'delete-pod':
            return count('deletions of one pod', `${namespace}/${name}`);
          default:
            return undefined;
        }
      },
      applied({ write, status }) {
        const epoch = world.truth.electionLease?.spec?.leaseTransitions ?? 0;
        if (epoch > lastEpoch) {
          lastEpoch = epoch;
          return count('new terms', '');
        }
        if (write.kind !== 'record' || write.method !== 'POST' || status >= 300) return undefined;
        const node = world.truth.recordMaps.find(({ name }) => name === write.name)?.record?.node.name;
        return node === undefined ? undefined : count('new records of one node', node);
      },
    };
  },
};
