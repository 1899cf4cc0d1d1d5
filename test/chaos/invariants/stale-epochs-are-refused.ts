// Where the API server compares epochs itself, it does so whatever a replica believes.
import type { Invariant } from './invariant.ts';

export const staleEpochsAreRefused: Invariant = {
  name: 'stale-epochs-are-refused',
  sentence:
    'With the fencing token installed, no Node is deleted that carries another epoch than the election Lease shows.',
  watch: (world) => {
    /** By name: what each Node carried when its deletion last left a replica. */
    const stamps = new Map<string, string>();
    return {
      sent({ write }) {
        const node = write.kind === 'delete-node' ? world.truth.node(write.name ?? '') : undefined;
        if (node === undefined) return undefined;
        stamps.set(node.metadata.name, node.metadata.annotations?.['liberator.dev/epoch'] ?? '');
        return undefined;
      },
      applied({ user, write, status }) {
        const lease = world.truth.electionLease;
        if (!world.scenario.fencingToken || write.kind !== 'delete-node' || status >= 300) return undefined;
        if (lease === undefined) return undefined;
        const stamp = stamps.get(write.name ?? '') ?? '';
        const epoch = String(lease.spec?.leaseTransitions ?? 0);
        return stamp === epoch
          ? undefined
          : `${user} deleted ${write.name}, which carried epoch "${stamp}", in epoch ${epoch}`;
      },
    };
  },
};
