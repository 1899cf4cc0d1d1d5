// `liberator takeovers`: all of them in a list, or one as a story.
import { createReader, readTakeoverRecords, type TakeoverRecord } from '@liberator/core';
import { openCallersCluster } from '../callers-cluster.ts';
import { placeOf } from '../cluster-place.ts';
import type { TakeoversFlags } from '../commands/takeovers.ts';
import { exitCode } from '../exit-code.ts';
import { FatalError } from '../failure.ts';
import { json, lines, widthOf } from '../text/output.ts';
import { takeoverTable } from './list.ts';
import { summaryOf } from './summary.ts';
import { timeline } from './timeline.ts';

/** @param name - A takeover or a node; undefined: all takeovers. */
export async function showTakeovers(name: string | undefined, flags: TakeoversFlags): Promise<void> {
  const transport = openCallersCluster(flags.kubeconfig, 'liberator takeovers');
  try {
    const { namespace } = placeOf(flags);
    const records = await readTakeoverRecords(createReader({ transport }), namespace, { timeoutMs: 10_000 });
    const now = new Date().toISOString();
    if (name === undefined) showAll(records, namespace, now, flags.output);
    else showOne(records, { name, namespace }, now, flags.output);
  } finally {
    await transport.close();
  }
}

function showAll(
  records: readonly TakeoverRecord[],
  namespace: string,
  now: string,
  output: TakeoversFlags['output'],
): void {
  const takeovers = records.map((record) => summaryOf(record, now));
  if (output === 'json') {
    process.stdout.write(json({ version: 1, takeovers }, 2));
  } else if (takeovers.length === 0) {
    process.stdout.write(`No takeovers on record in namespace ${namespace}.\n`);
  } else {
    process.stdout.write(lines(takeoverTable(takeovers, now, widthOf(process.stdout))));
  }
}

function showOne(
  records: readonly TakeoverRecord[],
  about: { readonly name: string; readonly namespace: string },
  now: string,
  output: TakeoversFlags['output'],
): void {
  const [record, ...others] = takeoversOf(records, about.name);
  if (record === undefined) {
    throw new FatalError(
      `expected the id of a takeover on record, or the name of a node that had one, found "${about.name}": ` +
        `see "liberator takeovers --namespace ${about.namespace}" for those that there are`,
      { code: 'LIBERATOR_NOT_FOUND', exitCode: exitCode.failed },
    );
  }
  if (output === 'json') {
    process.stdout.write(json(record, 2));
    return;
  }
  const earlier =
    others.length === 0 ? [] : ['', `Earlier ones of it: ${others.map(({ id }) => id).join(', ')}`];
  process.stdout.write(lines([...timeline(record, now, widthOf(process.stdout)), ...earlier]));
}

/** Those of a node, the newest first; or the one of that id. */
export function takeoversOf(records: readonly TakeoverRecord[], name: string): readonly TakeoverRecord[] {
  const named = records.filter(({ id }) => id === name);
  return named.length > 0 ? named : records.filter(({ node }) => node.name === name);
}
