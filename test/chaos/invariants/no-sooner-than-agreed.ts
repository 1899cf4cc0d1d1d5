// Where a proof is optional, the operator has said for how long it is to be tried for all the same.
import { destructive } from '../world/writes.ts';
import type { Invariant } from './invariant.ts';

/** By the fastest clock. */
const fastest = 1.03;

export const noSoonerThanAgreed: Invariant = {
  name: 'no-sooner-than-agreed',
  sentence:
    'Where a policy names a time to give up after, nothing is released without a proof before that time has passed, whoever led meanwhile.',
  watch: (world) => {
    const { giveUpAfterMs } = world.scenario.policy.fencing;
    return {
      sent({ replica, write }) {
        if (giveUpAfterMs === undefined || !destructive.has(write.kind)) return undefined;
        const { kind, namespace = '', name = '' } = write;
        const node = kind === 'delete-pod' ? world.truth.pod(namespace, name)?.spec?.nodeName : name;
        if (node === undefined || world.human.hasSpoiledRecord(node)) return undefined;
        for (const record of world.truth.records) {
          if (record.node.name !== node || record.result !== undefined || record.proof !== 'none') continue;
          const tookMs = (world.clock.now() - (world.truth.openedAt(record.id) ?? 0)) * fastest;
          if (tookMs < giveUpAfterMs) {
            return `${replica.name} sent ${kind} of ${name} without a proof ${Math.round(tookMs)} ms into its takeover, ${giveUpAfterMs} ms were agreed on`;
          }
        }
        return undefined;
      },
    };
  },
};
