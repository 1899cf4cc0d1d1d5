// Which nodes are meant by what follows `--kill`. Pure: a name that isn't there is refused with those that are.
import type { Node } from '@liberator/core';
import { exitCode } from '../process/exit-code.ts';
import { FatalError } from '../process/failure.ts';

const zoneLabel = 'topology.kubernetes.io/zone';

/** So many are named; whoever has more nodes knows how to list them. */
const named = 20;

/**
 * @param wanted - `node-1`, `zone=a` or `example.com/rack=7`, one each.
 * @throws {@link FatalError} with the exit code for wrong usage.
 */
export function nodesToKill(wanted: readonly string[], nodes: readonly Node[]): readonly string[] {
  const names = new Set(wanted.map((one) => one.trim()).flatMap((one) => meantBy(one, nodes)));
  return nodes.map(({ metadata }) => metadata.name).filter((name) => names.has(name));
}

function meantBy(text: string, nodes: readonly Node[]): readonly string[] {
  const [, key = '', value = ''] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  if (key !== '') return withLabel(key === 'zone' ? zoneLabel : key, value, nodes);
  if (nodes.some(({ metadata }) => metadata.name === text)) return [text];
  const there = nodes.map(({ metadata }) => metadata.name);
  throw refused(
    `expected the name of a node, zone=NAME or LABEL=VALUE, found "${text}": there are ${listed(there)}`,
  );
}

function withLabel(label: string, value: string, nodes: readonly Node[]): readonly string[] {
  const found = nodes.filter(({ metadata }) => metadata.labels?.[label] === value);
  if (found.length > 0) return found.map(({ metadata }) => metadata.name);
  const values = [...new Set(nodes.flatMap(({ metadata }) => metadata.labels?.[label] ?? []))];
  const there =
    values.length === 0 ? 'no node has that label' : `those that have it say ${listed(values.toSorted())}`;
  throw refused(`expected nodes with the label ${label}=${value}, found none: ${there}`);
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const more = names.length > named ? ` and ${names.length - named} more` : '';
  return `${names.slice(0, named).join(', ')}${more}`;
}

function refused(message: string): FatalError {
  return new FatalError(message, { code: 'LIBERATOR_KILL', exitCode: exitCode.usage });
}
