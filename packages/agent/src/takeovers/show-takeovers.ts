// `liberator takeovers`: all of them in a list, or one as a story.
import { createReader, readTakeovers, type TakeoverRecord, type TakeoversOnRecord } from '@liberator/core';
import { openCallersCluster } from '../cluster/callers-cluster.ts';
import type { PlaceFlags } from '../cluster/place.ts';
import { placeOf } from '../cluster/place.ts';
import { exitCode } from '../process/exit-code.ts';
import { FatalError } from '../process/failure.ts';
import { json, lines, widthOf } from '../text/output.ts';
import type { OutputFlags } from '../text/output-option.ts';
import { setAsideTable, takeoverTable } from './list.ts';
import { summaryOf } from './summary.ts';
import { timeline } from './timeline.ts';

export interface TakeoversFlags extends PlaceFlags, OutputFlags {}

/** @param name - A takeover or a node; undefined: all takeovers. */
export async function showTakeovers(name: string | undefined, flags: TakeoversFlags): Promise<void> {
  const transport = openCallersCluster(flags, 'liberator takeovers');
  try {
    const { namespace } = placeOf(flags);
    const onRecord = await readTakeovers(createReader({ transport }), namespace, { timeoutMs: 10_000 });
    const now = new Date().toISOString();
    if (name === undefined) showAll(onRecord, namespace, now, flags.output);
    else showOne(onRecord, { name, namespace }, now, flags.output);
  } finally {
    await transport.close();
  }
}

function showAll(
  { records, unreadable }: TakeoversOnRecord,
  namespace: string,
  now: string,
  output: TakeoversFlags['output'],
): void {
  const takeovers = records.map((record) => summaryOf(record, now, namespace));
  if (output === 'json') {
    process.stdout.write(json({ version: 1, takeovers, setAside: unreadable }, 2));
    return;
  }
  const columns = widthOf(process.stdout);
  const listed =
    takeovers.length === 0
      ? [`No takeovers on record in namespace ${namespace}.`]
      : takeoverTable(takeovers, now, columns);
  const beside =
    unreadable.length === 0
      ? []
      : ['', 'Set aside, and left as they are:', ...setAsideTable(unreadable, columns)];
  process.stdout.write(lines([...listed, ...beside]));
}

function showOne(
  { records, unreadable }: TakeoversOnRecord,
  about: { readonly name: string; readonly namespace: string },
  now: string,
  output: TakeoversFlags['output'],
): void {
  const [record, ...others] = takeoversOf(records, about.name);
  if (record === undefined) {
    const aside = unreadable.find(({ name, node }) => isNamed(name, about.name) || node === about.name);
    if (aside !== undefined) {
      throw new FatalError(`record ${aside.name} can't be used, and is left as it is: ${aside.problem}`, {
        code: 'LIBERATOR_RECORD_UNREADABLE',
        exitCode: exitCode.failed,
      });
    }
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

/** By the name of the ConfigMap that holds it, or by the id that is in there. */
function isNamed(record: string, name: string): boolean {
  return record === name || record.replace(/^liberator-takeover-/, '') === name;
}

/** Those of a node, the newest first; or the one of that id. */
export function takeoversOf(records: readonly TakeoverRecord[], name: string): readonly TakeoverRecord[] {
  const named = records.filter(({ id }) => id === name);
  return named.length > 0 ? named : records.filter(({ node }) => node.name === name);
}
