// What a human could do about deaths from which not everything follows by itself. Pure.
import type { SimulatedDeaths, SimulatedNode, WayToDie } from '@liberator/core';

/** A sentence each; empty when all goes by itself. */
export function whatAHumanCanDo(found: SimulatedDeaths & { readonly how: WayToDie }): readonly string[] {
  const { nodes, timeline, how } = found;
  const outcome = (one: SimulatedNode['outcome']): readonly SimulatedNode[] =>
    nodes.filter((node) => node.outcome === one);
  const held = outcome('held');
  const heldBy = (...guards: readonly string[]): readonly SimulatedNode[] =>
    held.filter(({ holds }) => holds.every(({ guard }) => guards.includes(guard)));
  const mentions = (guard: string): boolean =>
    nodes.some(({ holds }) => holds.some((one) => one.guard === guard));
  const advice: string[] = [...aboutSight(found)];
  if (timeline.some((one) => one.kind === 'leader' && one.state === 'never')) {
    advice.push(
      'no replica of Liberator would be left: run them on nodes, and in zones, that do not die together',
    );
  }
  if (outcome('waits').length > 0) {
    advice.push(
      `once it is certain that the machines are off: ${confirming(outcome('waits'))}; --confirm-after shows what would follow`,
    );
  }
  if (how === 'stop-kubelet') {
    if (held.length > 0) {
      advice.push(
        'their machines are up, so what ran on them may still write: restart their kubelets, or power them off first',
      );
    }
  } else if (heldBy('budget', 'evidence').length > 0) {
    advice.push(
      `a death that a human vouches for needs neither budget nor evidence: ${confirming(heldBy('budget', 'evidence'))}`,
    );
  }
  if (mentions('paused')) advice.push('what is paused stays so until somebody takes the mark off');
  if (mentions('maintenance'))
    advice.push('what is under maintenance is held until it is uncordoned, or the mark is too old');
  const nowhere = nodes.flatMap(({ pods }) => pods).filter(({ fate }) => fate === 'nowhere').length;
  if (nowhere > 0) {
    advice.push(`make room: no node could take ${nowhere} of the pods, whatever is decided`);
  }
  const stuck = nodes.flatMap(({ pods }) => pods).filter(({ fate }) => fate === 'stuck').length;
  if (stuck > 0) {
    advice.push(
      `have the finalizers taken off once what they guard is done: they hold ${stuck} of the pods, whatever is decided`,
    );
  }
  return advice;
}

function aboutSight({ blind, confirmationsToSee, nodes }: SimulatedDeaths): readonly string[] {
  if (blind.length === 0) return [];
  const until = 'nothing is done until enough of them are heard again';
  if (confirmationsToSee === undefined) return [until];
  const dead = nodes.filter(({ killed, outcome }) => killed && outcome !== 'left-alone');
  return [`${until}, or until ${confirmationsToSee} of the deaths are confirmed: ${confirming(dead)}`];
}

function confirming([first, ...more]: readonly SimulatedNode[]): string {
  const others =
    more.length === 0 ? '' : `, and likewise for ${more.length === 1 ? 'the other' : 'the others'}`;
  return `liberator confirm ${first?.name ?? 'NODE'}${others}`;
}
