// `liberator cordon` and `liberator uncordon`: what they do and what they say.
import { cordon, type Uncordoned, uncordon } from '@liberator/core';
import type { ClusterFlags } from '../cluster/flags.ts';
import { printable } from '../text/table.ts';
import { withCallersCluster } from './session.ts';

/** @throws FatalError when it could not be done. */
export async function cordonNode(node: string, flags: ClusterFlags): Promise<void> {
  await withCallersCluster(flags, 'cordon', async ({ cluster, signal }) => {
    const outcome = await cordon({ cluster, node, signal });
    console.log(outcome === 'cordoned' ? `${node} is cordoned` : `${node} was cordoned already`);
  });
}

/** @throws FatalError when it could not be done. */
export async function uncordonNode(node: string, flags: ClusterFlags): Promise<void> {
  await withCallersCluster(flags, 'uncordon', async ({ cluster, signal }) => {
    for (const line of uncordonedLines(node, await uncordon({ cluster, node, signal }))) console.log(line);
  });
}

function uncordonedLines(
  node: string,
  { changed, endedDrain, takeoverTaints }: Uncordoned,
): readonly string[] {
  const lines = [changed ? `${node} is uncordoned` : `${node} was not cordoned`];
  if (endedDrain !== undefined) {
    const { by, phase, since } = endedDrain;
    const drainOf = `the drain of ${printable(by)}, since ${printable(since)}`;
    lines.push(
      phase === 'drained'
        ? `takeovers of it are no longer held (${drainOf})`
        : `takeovers of it are no longer held; ${drainOf}, had not finished, and stops if it still goes on`,
    );
  }
  for (const { key, effect } of takeoverTaints) {
    lines.push(`pods still do not come to it: Liberator takes off ${key}:${effect} once it has returned`);
  }
  return lines;
}
