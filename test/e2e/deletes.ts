// What a scenario on a real control plane cost in the end, by the one witness that nobody can talk into anything.
import { expect } from 'vitest';
import type { Stage } from './stage.ts';

/** Exactly these DELETEs were carried out, all sent by one replica: so says the API server's audit log. */
export async function expectDeletes(
  stage: Stage,
  what: { node?: string; pod: string } | 'nothing',
): Promise<void> {
  const nodes = await stage.deletes('nodes');
  const pods = await stage.deletes('pods');
  expect(nodes.map(({ name }) => name)).toEqual(what === 'nothing' || !what.node ? [] : [what.node]);
  expect(pods.map(({ uid }) => uid)).toEqual(what === 'nothing' ? [] : [what.pod]);
  expect(new Set([...nodes, ...pods].map(({ userAgent }) => userAgent)).size).toBe(
    what === 'nothing' ? 0 : 1,
  );
}
