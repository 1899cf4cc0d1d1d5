// Where leaders can die: read off a first performance in which nobody does, so that no write is forgotten.
import { expect } from 'vitest';
import { type Death, type Performance, perform, type SeenWrite } from './performance.ts';
import { type Story, wordsFor } from './story.ts';

export interface Rehearsal {
  readonly story: Story;
  readonly title: string;
  readonly first: Performance;
}

export async function rehearse(story: Story): Promise<Rehearsal> {
  return { story, title: wordsFor(story), first: await perform(story) };
}

/** Both sides of every write of a chapter. */
export function deathsIn(
  { writes }: Performance,
  chapter: SeenWrite['chapter'],
): readonly (Death & { readonly what: string })[] {
  return writes.flatMap(({ what, ...seen }, write) =>
    seen.chapter === chapter
      ? [
          { write, moment: 'before' as const, what },
          { write, moment: 'after' as const, what },
        ]
      : [],
  );
}

/** The same story with one death; up to there it went as before, and it was the leader who died. */
export async function performWithDeath({ story, first }: Rehearsal, death: Death): Promise<Performance> {
  const performance = await perform(story, [death]);
  const upToThere = death.write + 1;
  expect(performance.writes.slice(0, upToThere)).toEqual(first.writes.slice(0, upToThere));
  expect(performance.died).toEqual([first.writes[death.write]?.by]);
  return performance;
}
