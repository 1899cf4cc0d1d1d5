// Holds when more nodes died without proof than the operator expects ever to see: then it is probably not they who died.
import { type Guard, type GuardInput, type GuardVerdict, pass, type UnprovenDeath } from '../guard.ts';
import { defaultBudget } from '../policy.ts';

/** So many others are named, those first that count longest: who joins them later changes nothing about their names. */
const named = 5;

export const budget: Guard = {
  name: 'budget',
  evaluate: (input) => {
    const { assessment, fleet, policy } = input;
    // What somebody vouches for is no outage.
    if (assessment.evidence === 'proven') return pass;
    const { maxDead, maxDeadPercent, windowMs = defaultBudget.windowMs } = policy.budget;
    const byPercent = Math.floor((fleet.nodes * maxDeadPercent) / 100);
    const allowed = Math.max(1, Math.min(maxDead, byPercent));
    const others = othersThatCount(input, windowMs);
    return others.length < allowed ? pass : holdFor(input, others, { allowed, windowMs });
  },
};

/** The deaths of other nodes that count at this moment, the newest first; looked at in place, since they may be thousands. */
interface Others {
  readonly length: number;
  /** @param index from 0, the newest, to one less than `length`. */
  at(index: number): UnprovenDeath;
}

function othersThatCount({ node, fleet, now }: GuardInput, windowMs: number): Others {
  if (fleet.unproven === undefined) {
    const names = [...new Set(fleet.dead)].filter((name) => name !== node.name);
    return { length: names.length, at: (index) => ({ node: names[index] ?? '', since: now }) };
  }
  const deaths = fleet.unproven;
  const counting = firstIndex(deaths, ({ since }) => now - since >= windowMs);
  const own =
    node.deadSince !== undefined && now - node.deadSince < windowMs
      ? indexOf(deaths, node.name, node.deadSince)
      : -1;
  const at = (index: number): UnprovenDeath => {
    const death = deaths[own !== -1 && index >= own ? index + 1 : index];
    if (death === undefined) throw new RangeError(`expected an index below ${counting}, found ${index}`);
    return death;
  };
  return { length: own === -1 ? counting : counting - 1, at };
}

function holdFor(
  { node, fleet }: GuardInput,
  others: Others,
  { allowed, windowMs }: { readonly allowed: number; readonly windowMs: number },
): GuardVerdict {
  const shown = Array.from(
    { length: Math.min(named, others.length) },
    (_, i) => others.at(others.length - 1 - i).node,
  );
  const unnamed = others.length - shown.length;
  const who = [...shown, ...(unnamed > 0 ? [`${unnamed} more`] : []), node.name].join(', ');
  const reason =
    `${others.length + 1} of ${fleet.nodes} nodes are dead without proof (${who}), at most ${allowed} may be; each ` +
    `counts until it has returned, its death is proven, or ${minutes(windowMs)} have passed`;
  // Once so many of them have left the window that the rest leaves room for this one.
  return { outcome: 'hold', reason, until: others.at(allowed - 1).since + windowMs };
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

function indexOf(deaths: readonly UnprovenDeath[], node: string, since: number): number {
  const from = firstIndex(deaths, (death) => death.since <= since);
  for (let index = from; deaths[index]?.since === since; index++) {
    if (deaths[index]?.node === node) return index;
  }
  return -1;
}

function minutes(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${Math.round(ms / 1_000)} s`;
}
