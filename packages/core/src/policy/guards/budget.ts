// Holds when more nodes died without proof than the operator expects ever to see: then it is probably not they who died.
import { type Guard, type GuardInput, type GuardVerdict, pass, type UnprovenDeath } from '../guard.ts';
import { defaultBudget } from '../policy.ts';
import { allowedDeaths } from './hung.ts';

/** So many others are named, those first that count longest: who joins them later changes nothing about their names. */
const named = 5;

export const budget: Guard = {
  name: 'budget',
  evaluate: (input) => {
    const { assessment, fleet, policy } = input;
    // What somebody vouches for is no outage.
    if (assessment.evidence === 'proven') return pass;
    const { windowMs = defaultBudget.windowMs } = policy.budget;
    const allowed = allowedDeaths(policy.budget, fleet.nodes);
    const counting = deathsThatCount(input, windowMs);
    return counting.others < allowed ? pass : holdFor(input, counting, { allowed, windowMs });
  },
};

/** The deaths that count at this moment. There may be thousands, and as many who ask: nothing here goes through all of them. */
interface Counting {
  /** The newest first; what lies at or after `end` counts no more. */
  readonly deaths: readonly UnprovenDeath[];
  readonly end: number;
  /** Since when the node in question is among them; undefined when it isn't. */
  readonly ownSince: number | undefined;
  /** How many there are without it. */
  readonly others: number;
}

function deathsThatCount({ node, fleet, now }: GuardInput, windowMs: number): Counting {
  if (fleet.unproven === undefined) {
    const names = [...new Set(fleet.dead)].filter((name) => name !== node.name);
    const deaths = names.map((name) => ({ node: name, since: now }));
    return { deaths, end: deaths.length, ownSince: undefined, others: deaths.length };
  }
  const deaths = fleet.unproven;
  const end = firstIndex(deaths, ({ since }) => now - since >= windowMs);
  const counts = node.deadSince !== undefined && now - node.deadSince < windowMs;
  return { deaths, end, ownSince: counts ? node.deadSince : undefined, others: counts ? end - 1 : end };
}

function holdFor(
  { node, assessment, fleet }: GuardInput,
  counting: Counting,
  { allowed, windowMs }: { readonly allowed: number; readonly windowMs: number },
): GuardVerdict {
  const { deaths, end, others } = counting;
  const oldest = deaths.slice(Math.max(0, end - named - 1), end).toReversed();
  const shown = oldest.flatMap((death) => (death.node === node.name ? [] : [death.node])).slice(0, named);
  const unnamed = others - shown.length;
  // A host that answers is up, whatever became of its kubelet: nobody may read that it is dead.
  const isUp = assessment.hostUp;
  const who = [...shown, ...(unnamed > 0 ? [`${unnamed} more`] : []), ...(isUp ? [] : [node.name])].join(
    ', ',
  );
  const reason =
    `${isUp ? others : others + 1} of ${fleet.nodes} nodes are dead without proof (${who}), at most ${allowed} may be` +
    `${isUp ? ', and it would be one more' : ''}; each counts until it has returned, its death is proven, or ${inWords(windowMs)} have passed`;
  return { outcome: 'hold', reason, until: roomAt(counting, allowed) + windowMs };
}

/** When the newest of those died who must leave the window before the rest of the others leaves room for one more. */
function roomAt({ deaths, ownSince }: Counting, allowed: number): number {
  const last = deaths[allowed - 1]?.since ?? 0;
  // The node itself is among those before, or at the same moment as the last: then it is the next one's turn.
  return ownSince !== undefined && ownSince >= last ? (deaths[allowed]?.since ?? last) : last;
}

/** Of the first element for which `test` is true, given that it is so for all after it, too. */
function firstIndex<T>(sorted: readonly T[], test: (element: T) => boolean): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (test(sorted[middle] as T)) to = middle;
    else from = middle + 1;
  }
  return from;
}

function inWords(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${Math.round(ms / 1_000)} s`;
}
