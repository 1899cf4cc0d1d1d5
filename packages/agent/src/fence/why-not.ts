// What keeps a person from switching a machine by hand: where that would be more than a test. Pure.
import { type Fencer, type Node, notedOf, type TakeoverRecord, whichMachine } from '@liberator/core';

export interface SwitchFacts {
  readonly act: 'off' | 'on';
  readonly node: Node;
  readonly nodes: readonly Node[];
  readonly records: readonly TakeoverRecord[];
  readonly fencer: Pick<Fencer, 'name' | 'acts' | 'unfence'>;
  /** The node on which this runs, where that is known. */
  readonly here: string | undefined;
}

/** Undefined when nothing does. */
export function whyNotToSwitch(facts: SwitchFacts): string | undefined {
  const { act, node, fencer, records, nodes } = facts;
  const { name } = node.metadata;
  if (fencer.acts !== 'power') return `fencer ${fencer.name} switches no power`;
  if (act === 'on' && fencer.unfence === undefined) return `fencer ${fencer.name} can switch no machine on`;
  const running = records.find((one) => one.node.name === name && one.result === undefined);
  if (running !== undefined) {
    return act === 'on'
      ? `takeover ${running.id} of ${name} is under way and may rely on its being off`
      : `takeover ${running.id} of ${name} is under way and fences it by itself`;
  }
  const twin = nodes.find((other) => other.metadata.uid !== node.metadata.uid && isSameBoard(other, node));
  if (twin !== undefined)
    return `${twin.metadata.name} has the same system UUID as ${name}: nobody can tell them apart`;
  return act === 'off' ? whyNotOff(facts) : undefined;
}

function whyNotOff({ node, nodes, here }: SwitchFacts): string | undefined {
  const { name, uid } = node.metadata;
  if (here === name) return `this runs on ${name} itself: do it from another node`;
  const others = nodes.filter((one) => one.metadata.uid !== uid && isReady(one));
  if (!others.some((one) => one.spec?.unschedulable !== true)) {
    return `no other node is Ready and takes pods, so what runs on ${name} could run nowhere`;
  }
  if (isControlPlane(node) && !others.some(isControlPlane))
    return `${name} is the only control-plane node that is Ready`;
  return undefined;
}

function isReady({ status }: Node): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
}

function isControlPlane({ metadata }: Node): boolean {
  return Object.hasOwn(metadata.labels ?? {}, 'node-role.kubernetes.io/control-plane');
}

/** In either byte order; of a board that says nothing, or what many say, nothing is known. */
function isSameBoard({ metadata, status }: Node, node: Node): boolean {
  const other = { id: metadata.name, uuid: status?.nodeInfo?.systemUUID };
  return whichMachine([other], { noted: notedOf(node) }).outcome === 'found';
}
