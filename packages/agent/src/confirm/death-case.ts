// What a human would vouch for: one death of one node, put together from what the leader published and what is on record. Pure.
import type { TakeoverRecord } from '@liberator/core';
import type { NodeView, StatusView } from '../status/status-view.ts';

export interface DeathCase {
  readonly node: string;
  /** What the word has to name. */
  readonly deathId: string;
  /** The takeover that is under way for it, if there is one. */
  readonly record: TakeoverRecord | undefined;
  /** What the leader says of the node; absent when the Node is gone. */
  readonly seen: NodeView | undefined;
}

/** Why there is nothing to vouch for. */
export interface NoCase {
  /** A sentence for people. */
  readonly problem: string;
}

/** @param isThere whether there is a Node of that name right now */
export function deathCase(
  view: StatusView,
  records: readonly TakeoverRecord[],
  node: string,
  isThere: boolean,
): DeathCase | NoCase {
  const record = records.find((one) => one.node.name === node && one.result === undefined);
  const seen = isThere ? view.nodes.find(({ name }) => name === node) : undefined;
  if (record !== undefined) return { node, deathId: record.deathId, record, seen };
  if (!isThere) return { problem: `there is no node ${node}, and no takeover of one is under way` };
  if (view.knowledge !== 'current') {
    return {
      problem: `nobody knows whether ${node} is dead: ${view.outdated ?? 'no leader has published a status yet'}`,
    };
  }
  if (seen === undefined)
    return { problem: `${node} is well, or has just joined: there is no death to confirm` };
  return confirmable(seen);
}

function confirmable(seen: NodeView): DeathCase | NoCase {
  const { name, health, deathId } = seen;
  if (health === 'unselected') {
    return { problem: `no policy selects ${name}, so nothing is ever done about it` };
  }
  if (health === 'alive' || health === 'returning' || deathId === undefined) {
    return { problem: `${name} is ${health}: there is no death to confirm` };
  }
  if (health === 'dead' && seen.decision === undefined && seen.undecided !== true) {
    return { problem: `${name} was taken over for this death already: nothing waits for a word of yours` };
  }
  return { node: name, deathId, record: undefined, seen };
}

/** What has become of a word that was given; undefined while nothing has. */
export function answerTo(
  { node, deathId }: Pick<DeathCase, 'node' | 'deathId'>,
  view: StatusView,
  records: readonly TakeoverRecord[],
): { readonly taken: boolean; readonly words: string } | undefined {
  const record = records.find((one) => one.node.name === node && one.deathId === deathId);
  const isFenced = record?.steps.fence?.outcome !== undefined || record?.result !== undefined;
  if (record !== undefined && isFenced) {
    return {
      taken: true,
      words: `takeover ${record.id} of ${node} goes on: liberator takeovers ${record.id}`,
    };
  }
  const seen = view.nodes.find(({ name }) => name === node);
  if (view.knowledge !== 'current' || seen === undefined) return undefined;
  if (seen.health === 'alive' || seen.health === 'returning') {
    return { taken: false, words: `${node} is ${seen.health} again: nothing follows from what you said` };
  }
  if (seen.ignoredConfirmation?.names === deathId) {
    return {
      taken: false,
      words: `${node} has died another death meanwhile: nothing follows from what you said; look again`,
    };
  }
  // Its takeover waits for more than this, or has yet to ask.
  if (seen.evidence !== 'proven' || record !== undefined) return undefined;
  const holds = (seen.decision?.verdicts ?? []).flatMap(({ guard, verdict }) =>
    verdict.outcome === 'hold' ? [`${guard}: ${verdict.reason}`] : [],
  );
  if (view.blind.length > 0) holds.push(`blind: ${view.blind.join('; ')}`);
  return {
    taken: true,
    words: `the leader has taken your word for ${node}${holds.length === 0 ? '' : `; it is still held by ${holds.join('; ')}`}`,
  };
}
