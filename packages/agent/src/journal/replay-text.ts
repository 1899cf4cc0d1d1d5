// A replay as people read it: what was seen and led as a whole, then node by node, then the sum of it. Pure.
import type { ReplayEvent } from '@liberator/core';
import { table } from '../text/table.ts';
import { type Difference, outcomeInWords, outcomesOf } from './outcome.ts';

export interface ReplayView {
  readonly events: readonly ReplayEvent[];
  /** Absent: only one replay was made, by the rules of the journal. */
  readonly differences?: readonly Difference[];
  /** Tell of this one alone. */
  readonly node?: string;
}

/** @param columns - How wide a line may be; undefined: as wide as it likes. */
export function replayText(
  { events, differences, node }: ReplayView,
  columns: number | undefined,
): readonly string[] {
  const outcomes = outcomesOf(events);
  const names = [...outcomes.keys()].filter((name) => node === undefined || name === node);
  const timeline = (some: readonly ReplayEvent[]): readonly string[] =>
    table(
      some.map((event) => [event.time, wordsOf(event)]),
      columns,
      '  ',
    );
  const lines = ['Journal', ...timeline(events.filter((event) => !('node' in event)))];
  for (const name of names) {
    lines.push('', name, ...timeline(events.filter((event) => 'node' in event && event.node === name)));
  }
  if (node !== undefined && names.length === 0)
    lines.push('', `${node}: nothing became of it, or there was no such node`);
  if (!events.some(({ kind }) => kind === 'term')) {
    lines.push(
      '',
      'This replica did not lead, so it decided nothing: the journal of the one that did tells more.',
    );
  }
  const dead = [...outcomes.values()].filter(({ deaths }) => deaths > 0).length;
  const takeovers = [...outcomes.values()].reduce((sum, one) => sum + one.takeovers.length, 0);
  const held = [...outcomes.values()].filter((one) => one.held.length > 0).length;
  lines.push(
    '',
    `Nodes found dead: ${dead}. Takeovers that would have been begun: ${takeovers}. Nodes held at last: ${held}.`,
  );
  if (differences !== undefined) lines.push('', ...differencesText(differences, columns));
  return lines;
}

function differencesText(differences: readonly Difference[], columns: number | undefined): readonly string[] {
  if (differences.length === 0) return ['The rules of the journal come to the same.'];
  const rows = differences.flatMap(({ node, recorded, replayed }) => [
    [node, 'recorded', outcomeInWords(recorded)],
    ['', 'replayed', outcomeInWords(replayed)],
  ]);
  return ['Other than by the rules of the journal:', ...table(rows, columns, '  ')];
}

function wordsOf(event: ReplayEvent): string {
  switch (event.kind) {
    case 'begins': {
      const { identity, program, part, continues, unknownGuards } = event;
      const first = part === 1 || continues ? '' : ', with what was known by then';
      const unknown =
        unknownGuards.length === 0 ? '' : `; guards that can't be asked again: ${unknownGuards.join(', ')}`;
      return `part ${part} of ${identity} (liberator ${program}) begins${first}${unknown}`;
    }
    case 'gap':
      return `${event.facts} facts are missing here`;
    case 'stalled':
      return `it stood still for ${Math.round(event.forMs)} ms`;
    case 'term':
      return `leads, in epoch ${event.epoch}`;
    case 'term-over':
      return 'leads no more';
    case 'sight':
      return event.blind.length === 0 ? 'sees' : `blind: ${event.blind.join('; ')}`;
    case 'health': {
      const why = event.reasons.length === 0 ? '' : ` (${event.evidence}): ${event.reasons.join(', ')}`;
      return `${event.to}${why}`;
    }
    case 'decision':
      return event.action === 'act'
        ? `no guard holds it (death ${event.deathId}, policy ${event.policy})`
        : `held: ${event.holds.map(({ guard, reason }) => `${guard}: ${reason}`).join('; ')}`;
    case 'takeover':
      return `would have been taken over (death ${event.deathId}, policy ${event.policy})`;
  }
}
