// What happens to the API server and on the way to it: no answers, late ones, refusals, and answers from the past.
import { type FaultEffect, type FaultMatch, resources } from '@liberator/simulator';
import type { Fault } from './fault.ts';

const minute = 60_000;

interface Trouble {
  readonly kind: string;
  readonly weight: number;
  readonly effect: FaultEffect;
  /** In how many requests it happens. */
  readonly probability: number;
  /** Default: all requests. */
  readonly match?: FaultMatch;
}

const changes: FaultMatch = { verb: ['patch', 'delete', 'update'] };
const writes: FaultMatch = { verb: ['create', 'patch', 'delete', 'update'] };

const troubles: readonly Trouble[] = [
  { kind: 'down', weight: 2, effect: { kind: 'refuse' }, probability: 1 },
  { kind: 'hang', weight: 2, effect: { kind: 'hang' }, probability: 1 },
  { kind: 'slow', weight: 3, effect: { kind: 'delay', ms: 200, jitterMs: 6_000 }, probability: 0.8 },
  { kind: '429', weight: 1, effect: { kind: 'answer', code: 429, retryAfterSeconds: 1 }, probability: 0.6 },
  { kind: '500', weight: 1, effect: { kind: 'answer', code: 500 }, probability: 0.5 },
  { kind: '503', weight: 1, effect: { kind: 'answer', code: 503 }, probability: 0.5 },
  { kind: 'lost-request', weight: 1, effect: { kind: 'drop', moment: 'before' }, probability: 0.4 },
  { kind: 'lost-answer', weight: 2, effect: { kind: 'drop', moment: 'after' }, probability: 0.4 },
  { kind: 'torn-answer', weight: 1, effect: { kind: 'drop', moment: 'within' }, probability: 0.4 },
  { kind: 'stalled-watch', weight: 3, effect: { kind: 'stall' }, probability: 1 },
  { kind: 'cut-watch', weight: 1, effect: { kind: 'cut', afterMs: 3_000 }, probability: 1 },
  { kind: 'stale-list', weight: 2, effect: { kind: 'stale' }, probability: 0.8 },
  { kind: 'expired', weight: 1, effect: { kind: 'expire' }, probability: 0.8 },
  // Somebody else was faster, and left no trace.
  { kind: 'conflicts', weight: 2, effect: { kind: 'answer', code: 409 }, probability: 0.5, match: changes },
  // Writes arrive even when their sender has given up.
  {
    kind: 'late-writes',
    weight: 3,
    effect: { kind: 'delay', ms: 0, jitterMs: 8_000, outlivesSender: true },
    probability: 0.5,
    match: writes,
  },
];

function troubleFault({ kind, weight, effect, probability, match }: Trouble): Fault {
  return {
    kind: `api-${kind}`,
    weight,
    longestMs: 4 * minute,
    disturbs: true,
    // For everybody, or for one replica alone, as a load balancer with a sick backend has it.
    draw: (dice, { replicas }) => ({ target: dice.chance(0.5) ? '' : dice.of(replicas).name }),
    begin: (world, { target }) =>
      world.simulator.faults.add({
        match: { ...match, ...(target === '' ? {} : { user: target }) },
        effect,
        probability,
      }),
  };
}

/** Every watch and every page has to begin anew. */
const forgotten: Fault = {
  kind: 'api-forgets-history',
  weight: 2,
  longestMs: 0,
  disturbs: true,
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
  disturbs: true,
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
