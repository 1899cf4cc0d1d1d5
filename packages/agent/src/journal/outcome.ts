// What a replay came to, node by node. Pure.
import type { ReplayEvent } from '@liberator/core';

/** What became of one node. */
export interface NodeOutcome {
  /** How often it was found dead. */
  readonly deaths: number;
  /** Deaths that would have been followed by a takeover, with when it would have begun, ISO 8601. */
  readonly takeovers: readonly { readonly deathId: string; readonly time: string; readonly policy: string }[];
  /** By death, the guards that held it when it was last decided on, where it was not taken over. */
  readonly held: readonly { readonly deathId: string; readonly guards: readonly string[] }[];
}

/** A node of which two replays don't say the same. */
export interface Difference {
  readonly node: string;
  /** By the rules of the journal. */
  readonly recorded: NodeOutcome;
  /** By the other ones. */
  readonly replayed: NodeOutcome;
}

const nothing: NodeOutcome = { deaths: 0, takeovers: [], held: [] };

/** By name, in the order in which nodes are first told of. */
export function outcomesOf(events: readonly ReplayEvent[]): ReadonlyMap<string, NodeOutcome> {
  const outcomes = new Map<string, NodeOutcome>();
  for (const event of events) {
    if (!('node' in event)) continue;
    outcomes.set(event.node, withEvent(outcomes.get(event.node) ?? nothing, event));
  }
  return outcomes;
}

function withEvent(
  outcome: NodeOutcome,
  event: Extract<ReplayEvent, { readonly node: string }>,
): NodeOutcome {
  if (event.kind === 'health') {
    return event.to === 'dead' ? { ...outcome, deaths: outcome.deaths + 1 } : outcome;
  }
  const { deathId } = event;
  const held = outcome.held.filter((one) => one.deathId !== deathId);
  if (event.kind === 'takeover') {
    const { time, policy } = event;
    return { ...outcome, held, takeovers: [...outcome.takeovers, { deathId, time, policy }] };
  }
  if (event.action === 'act') return { ...outcome, held };
  const guards = event.holds.map(({ guard }) => guard);
  return { ...outcome, held: [...held, { deathId, guards }] };
}

/** Nodes that are taken over in one replay and not in the other, at other times, or held by other guards. */
export function differences(
  recorded: ReadonlyMap<string, NodeOutcome>,
  replayed: ReadonlyMap<string, NodeOutcome>,
): readonly Difference[] {
  return [...new Set([...recorded.keys(), ...replayed.keys()])].flatMap((node) => {
    const [before, after] = [recorded.get(node) ?? nothing, replayed.get(node) ?? nothing];
    return JSON.stringify(before) === JSON.stringify(after)
      ? []
      : [{ node, recorded: before, replayed: after }];
  });
}

/** As a few words. */
export function outcomeInWords({ deaths, takeovers, held }: NodeOutcome): string {
  const parts = [
    ...takeovers.map(({ time, policy }) => `taken over at ${time} by policy ${policy}`),
    ...held.map(({ guards }) => `held by ${guards.join(', ')}`),
  ];
  if (parts.length > 0) return parts.join('; ');
  return deaths > 0 ? 'dead, and not decided on' : 'not dead';
}
