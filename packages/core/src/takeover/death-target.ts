// What a fencer is asked about: by what the machine can be found, and who has vouched for its death by now.

import { notedOf } from '../evidence/noted-node.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import { confirmationIn } from '../fencing/manual.ts';
import { confirmOnRecordCommand, confirmWays } from '../marks/confirmed.ts';
import type { LiveNode } from './life-signs.ts';
import type { StepContext } from './step.ts';

export async function targetOf(
  { record, cluster, term }: StepContext,
  live: Exclude<LiveNode, { state: 'alive' }>,
): Promise<FenceTarget> {
  const { deathId } = record;
  const { name, uid, bootId } = record.node;
  if (live.state === 'still-dead') {
    const node = live.node.object;
    const confirmation = confirmationIn(node.metadata.annotations, deathId, 'node');
    return {
      name,
      uid,
      deathId,
      bootId,
      noted: record.noted ?? notedOf(node),
      node,
      ...(confirmation && { confirmation }),
      howToConfirm: confirmWays(name, deathId),
    };
  }
  const noted = record.noted ?? nothingNoted;
  // What was said on the Node while it was there still holds. Since then there is nothing to say it on but the record.
  const onRecord = (await cluster.readRecord(term, record.id))?.annotations;
  const confirmation =
    confirmationIn(onRecord, deathId, 'record') ?? confirmationIn(noted.annotations, deathId, 'node');
  return {
    name,
    uid,
    deathId,
    bootId,
    noted,
    ...(confirmation && { confirmation }),
    howToConfirm: `liberator confirm ${name}, or ${confirmOnRecordCommand(cluster.recordAddress(record.id), deathId)}`,
  };
}

/** Of a node that was gone before anything of it was noted. */
export const nothingNoted: FenceTarget['noted'] = {
  machine: { systemUuid: '', machineId: '', providerId: '' },
  addresses: [],
  labels: {},
  annotations: {},
};
