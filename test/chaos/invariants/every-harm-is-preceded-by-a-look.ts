// A fence device that powers off a node that came back is the worst thing that could be done.
import type { TakeoverRecord } from '@liberator/core';
import { everything } from '../world/human-touch.ts';
import { destructive } from '../world/writes.ts';
import type { Invariant } from './invariant.ts';

/** A look right before may be as old as the term in which it was made lasts, by the slowest clock. */
const lookLastsMs = 11_000;

/** A brake comes through a watch, which may have stalled for this long before anybody must have noticed. */
const brakeKnownAfterMs = 35_000;

export const everyHarmIsPrecededByALook: Invariant = {
  name: 'every-harm-is-preceded-by-a-look',
  sentence:
    'Nobody marks, deletes or switches off a node of which the API server has had another heartbeat than the one on record, or while a brake is on, for longer than a look may be old; a release that began before goes on.',
  watch: (world) => {
    /** When the first pod of each takeover was deleted, or its Node was marked. */
    const begunAt = new Map<string, number>();
    const openOf = (node: string | undefined): readonly TakeoverRecord[] =>
      world.truth.records.filter((one) => one.node.name === node && one.result === undefined);
    const life = (records: readonly TakeoverRecord[]): string | undefined => {
      const ages = records.map(({ node, lastHeartbeat }) => {
        const at = world.truth.heartbeats.firstAfter(node.name, lastHeartbeat);
        return at === undefined ? 0 : world.clock.now() - at;
      });
      const youngest = Math.min(...ages);
      return ages.length > 0 && youngest > lookLastsMs
        ? `the API server has had its heartbeat for ${Math.round(youngest)} ms`
        : undefined;
    };
    const brake = (node: string, at: number): string | undefined => {
      for (const paused of [node, everything]) {
        const since = world.human.brakeOn(paused);
        if (since !== undefined && at - since > brakeKnownAfterMs) {
          return `${paused || 'everything'} had been paused for ${Math.round(at - since)} ms`;
        }
      }
      return undefined;
    };
    return {
      fenced(machine, by) {
        const now = world.clock.now();
        const why = life(openOf(machine.name)) ?? brake(machine.name, now);
        return why && `${by} was used on ${machine.name} although ${why}`;
      },
      sent({ replica, write }) {
        if (!destructive.has(write.kind)) return undefined;
        const { kind, namespace = '', name = '', uid } = write;
        const pod = kind === 'delete-pod' ? world.truth.pod(namespace, name) : undefined;
        // Meant for an object that is no longer there: the server refuses it.
        if (pod !== undefined && uid !== undefined && pod.metadata.uid !== uid) return undefined;
        const node = kind === 'delete-pod' ? pod?.spec?.nodeName : name;
        if (node === undefined) return undefined;
        const records = openOf(node);
        const now = world.clock.now();
        for (const { id } of records) if (kind !== 'delete-node' && !begunAt.has(id)) begunAt.set(id, now);
        const began =
          kind === 'delete-pod' ? Math.min(now, ...records.map(({ id }) => begunAt.get(id) ?? now)) : now;
        const why = life(records) ?? brake(node, began);
        return why && `${replica.name} sent ${kind} of ${name} (${node}) although ${why}`;
      },
    };
  },
};
