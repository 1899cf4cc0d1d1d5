// `liberator explain`: one node out of what `liberator status` knows.
import {
  type BarePod,
  barePods,
  createReader,
  isForbidden,
  type KubernetesReader,
  pods,
} from '@liberator/core';
import { openCallersCluster } from '../cluster/callers-cluster.ts';
import type { PlaceFlags } from '../cluster/place.ts';
import { placeOf } from '../cluster/place.ts';
import { exitCode } from '../process/exit-code.ts';
import { FatalError } from '../process/failure.ts';
import { readSources } from '../status/read-sources.ts';
import { type StatusView, viewStatus } from '../status/status-view.ts';
import type { TakeoverSummary } from '../takeovers/summary.ts';
import { json, lines, widthOf } from '../text/output.ts';
import type { OutputFlags } from '../text/output-option.ts';
import { explanation } from './explain-text.ts';

export interface ExplainFlags extends PlaceFlags, OutputFlags {}

/** @throws {@link FatalError} for a node of which nothing is known. */
export async function explainNode(name: string, flags: ExplainFlags): Promise<void> {
  const transport = openCallersCluster(flags, 'liberator explain');
  try {
    const place = placeOf(flags);
    const reader = createReader({ transport });
    const sources = await readSources(reader, place);
    const view = viewStatus(sources, new Date().toISOString());
    const node = view.nodes.find((one) => one.name === name);
    if (node === undefined) throw unknown(name, view);
    const bare = await readBarePods(reader, name);
    const told = explanation(view, name, widthOf(process.stdout), bare) ?? [];
    process.stdout.write(flags.output === 'json' ? json({ ...node, barePods: bare }, 2) : lines(told));
  } finally {
    await transport.close();
  }
}

/** Undefined where the caller may not list pods: nobody has to be allowed to ask for an explanation. */
async function readBarePods(reader: KubernetesReader, node: string): Promise<readonly BarePod[] | undefined> {
  try {
    const { items } = await reader.list(pods, { fieldSelector: `spec.nodeName=${node}`, timeoutMs: 10_000 });
    return barePods(items);
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

function unknown(name: string, view: StatusView): FatalError {
  return new FatalError(`found nothing about a node "${name}": ${whyUnknown(name, view)}`, {
    code: 'LIBERATOR_NOT_FOUND',
    exitCode: exitCode.failed,
  });
}

/** Why a status says nothing of a node of this name, as part of a sentence. */
export function whyUnknown(name: string, { knowledge, nodes, counts, takeovers }: StatusView): string {
  if (knowledge === 'none') return 'no leader has published a status yet';
  // Those that run come first.
  const takeover = takeovers.find(({ node }) => node === name);
  if (takeover !== undefined) {
    return `its Node is not there, and ${whatBecameOf(takeover)}; "liberator takeovers ${name}" tells that story`;
  }
  const all = Object.values(counts ?? {}).reduce((sum, count) => sum + count, 0);
  return all > nodes.length
    ? `there is no such node, or it is well: of ${all} nodes the status lists the ${nodes.length} in most trouble`
    : `there are ${nodes.map((node) => node.name).join(', ') || 'no nodes'}`;
}

function whatBecameOf({ node, state, running, detail = '', confirm }: TakeoverSummary): string {
  const why = detail === '' ? '' : `: ${detail}`;
  if (!running) {
    return state === 'undone' || state === 'overtaken'
      ? `its last takeover was ${state}`
      : 'it was taken over and is not back';
  }
  if (state === 'undoing') return `its takeover is being undone${why}`;
  if (state === 'verify') return `it was taken over; its pods are still waited for${why}`;
  // A driver that waits for a human says so itself, and how.
  const advice =
    confirm === undefined || detail.includes(confirm)
      ? ''
      : `; once you have made sure that the machine is off: liberator confirm ${node}, or ${confirm}`;
  return `its takeover waits in step ${state}${why}${advice}`;
}
