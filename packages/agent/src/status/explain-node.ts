// `liberator explain`: one node out of what `liberator status` knows.
import { createReader } from '@liberator/core';
import { openCallersCluster } from '../callers-cluster.ts';
import { placeOf } from '../cluster-place.ts';
import type { ExplainFlags } from '../commands/explain.ts';
import { exitCode } from '../exit-code.ts';
import { FatalError } from '../failure.ts';
import { json, lines, widthOf } from '../text/output.ts';
import { explanation } from './explain-text.ts';
import { readSources } from './read-sources.ts';
import { type StatusView, viewStatus } from './status-view.ts';

/** @throws {@link FatalError} for a node of which nothing is known. */
export async function explainNode(name: string, flags: ExplainFlags): Promise<void> {
  const transport = openCallersCluster(flags.kubeconfig, 'liberator explain');
  try {
    const place = placeOf(flags);
    const sources = await readSources(createReader({ transport }), place);
    const view = viewStatus(sources, new Date().toISOString());
    const told = explanation(view, name, widthOf(process.stdout));
    if (told === undefined) throw unknown(name, view);
    const node = view.nodes.find((one) => one.name === name);
    process.stdout.write(flags.output === 'json' ? json(node, 2) : lines(told));
  } finally {
    await transport.close();
  }
}

function unknown(name: string, view: StatusView): FatalError {
  return new FatalError(`found nothing about a node "${name}": ${whyUnknown(name, view)}`, {
    code: 'LIBERATOR_NOT_FOUND',
    exitCode: exitCode.failed,
  });
}

function whyUnknown(name: string, { knowledge, nodes, counts, takeovers }: StatusView): string {
  if (knowledge === 'none') return 'no leader has published a status yet';
  if (takeovers.some(({ node }) => node === name)) {
    return `it was taken over and is not back; "liberator takeovers ${name}" tells that story`;
  }
  const all = Object.values(counts ?? {}).reduce((sum, count) => sum + count, 0);
  return all > nodes.length
    ? `there is no such node, or it is well: of ${all} nodes the status lists the ${nodes.length} in most trouble`
    : `there are ${nodes.map((node) => node.name).join(', ') || 'no nodes'}`;
}
