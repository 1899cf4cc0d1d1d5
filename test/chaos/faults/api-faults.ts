// What happens to the API server and on the way to it: no answers, late ones, refusals, and answers from the past.
import { resources } from '@liberator/simulator';
import type { Trouble } from '../world/front.ts';
import type { Fault } from './fault.ts';

const minute = 60_000;

interface TroubleKind {
  readonly kind: Trouble['kind'];
  readonly weight: number;
  readonly longestMs: number;
  readonly share: number;
  readonly delayMs?: number;
}

const troubles: readonly TroubleKind[] = [
  { kind: 'down', weight: 2, longestMs: 3 * minute, share: 1 },
  { kind: 'slow', weight: 3, longestMs: 4 * minute, share: 0.7, delayMs: 6_000 },
  { kind: 'late', weight: 2, longestMs: 4 * minute, share: 0.5, delayMs: 8_000 },
  { kind: 'too-many-requests', weight: 1, longestMs: 3 * minute, share: 0.6 },
  { kind: 'server-error', weight: 1, longestMs: 3 * minute, share: 0.5 },
  { kind: 'conflict', weight: 1, longestMs: 3 * minute, share: 0.5 },
  { kind: 'lost-request', weight: 1, longestMs: 3 * minute, share: 0.4 },
  { kind: 'lost-answer', weight: 2, longestMs: 3 * minute, share: 0.4 },
  { kind: 'stalled-watch', weight: 3, longestMs: 3 * minute, share: 1 },
  { kind: 'stale-list', weight: 2, longestMs: 3 * minute, share: 0.8 },
];

function troubleFault({ kind, weight, longestMs, share, delayMs = 0 }: TroubleKind): Fault {
  return {
    kind: `api-${kind}`,
    weight,
    longestMs,
    // For everybody, or for one replica alone, as a load balancer with a sick backend has it.
    draw: (dice, { replicas }) => ({ target: dice.chance(0.5) ? '' : dice.of(replicas).name }),
    begin: (world, { target }) => {
      const newest = world.truth.nodes.map(({ metadata }) => Number(metadata.resourceVersion));
      const trouble: Trouble = {
        kind,
        user: target === '' ? undefined : target,
        share,
        delayMs,
        staleAt: Math.max(...newest, 1),
      };
      world.front.begin(trouble);
      return () => world.front.end(trouble);
    },
  };
}

/** Every watch and every page has to begin anew. */
const forgotten: Fault = {
  kind: 'api-forgets-history',
  weight: 2,
  longestMs: 0,
  draw: () => ({ target: '' }),
  begin: (world) => {
    world.simulator.forgetHistory();
    return undefined;
  },
};

/** Somebody edits the election Lease, and so comes between two renewals. */
const leaseEdited: Fault = {
  kind: 'election-lease-edited',
  weight: 1,
  longestMs: 0,
  draw: () => ({ target: '' }),
  begin: (world) => {
    const lease = world.truth.electionLease;
    if (lease === undefined) return undefined;
    const { namespace, name } = lease.metadata;
    world.simulator.store.modify<{ metadata: { annotations?: Record<string, string> } }>(
      resources.leases,
      namespace,
      name,
      ({ metadata }) => {
        metadata.annotations = { ...metadata.annotations, note: `at ${world.clock.now()}` };
        return true;
      },
      { user: 'human' },
    );
    return undefined;
  },
};

export const apiFaults: readonly Fault[] = [...troubles.map(troubleFault), forgotten, leaseEdited];
