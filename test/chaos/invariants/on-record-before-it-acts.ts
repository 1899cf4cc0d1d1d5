// Whoever comes next must be able to read what was begun.

import type { TakeoverRecord, TakeoverStep } from '@liberator/core';
import { destructive, type WriteKind } from '../world/writes.ts';
import type { Invariant } from './invariant.ts';

const stepOf: Readonly<Partial<Record<WriteKind, TakeoverStep>>> = {
  'mark-out-of-service': 'release',
  'delete-pod': 'release',
  'delete-node': 'remove',
};

export const onRecordBeforeItActs: Invariant = {
  name: 'on-record-before-it-acts',
  sentence:
    'What is destroyed, and who is switched off, is in an open record whose step was written down before.',
  watch: (world) => {
    const open = (node: (record: TakeoverRecord) => boolean, step: TakeoverStep): boolean =>
      world.truth.records.some(
        (record) =>
          record.result === undefined &&
          record.undoing === undefined &&
          record.steps[step] !== undefined &&
          record.steps[step].outcome === undefined &&
          node(record),
      );
    return {
      sent({ replica, write }) {
        const step = stepOf[write.kind];
        if (!destructive.has(write.kind) || step === undefined) return undefined;
        const { namespace, name, uid } = write;
        // Somebody spoiled what was on record.
        const node =
          write.kind === 'delete-pod' ? world.truth.pod(namespace ?? '', name ?? '')?.spec?.nodeName : name;
        if (node !== undefined && world.human.hasSpoiledRecord(node)) return undefined;
        const meant = (record: TakeoverRecord): boolean =>
          write.kind === 'delete-pod'
            ? record.pods.some((pod) => pod.namespace === namespace && pod.name === name && pod.uid === uid)
            : record.node.name === name && record.node.uid === uid;
        return open(meant, step)
          ? undefined
          : `${replica.name} sent ${write.kind} of ${name} without a record that has begun its ${step}`;
      },
      fenced: (machine) =>
        world.human.hasSpoiledRecord(machine.name) || open(({ node }) => node.name === machine.name, 'fence')
          ? undefined
          : `${machine.name} was switched off without a record that has begun its fence`,
    };
  },
};
