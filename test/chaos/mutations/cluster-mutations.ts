// Defects of the way to the cluster: what is sent, and what is written down before.
import type { StoredRecord, TakeoverCluster, Transport } from '@liberator/core';
import type { Mutation } from './mutation.ts';

/** The cluster with some of its methods exchanged; the others keep their own `this`. */
export function withMethods(
  cluster: TakeoverCluster,
  methods: (inner: TakeoverCluster) => Partial<TakeoverCluster>,
): TakeoverCluster {
  const exchanged = methods(cluster);
  return new Proxy(cluster, {
    get(target, name) {
      const own = Reflect.get(exchanged, name);
      if (own !== undefined) return own;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Takes the conditions out of whatever is deleted or changed. */
function unconditional(inner: Transport): Transport {
  return {
    close: () => inner.close(),
    send(request) {
      if (request.body === undefined || request.path.includes('/leases/')) return inner.send(request);
      const { preconditions: _, ...body } = JSON.parse(request.body);
      const { uid: _uid, resourceVersion: _version, ...metadata } = body.metadata ?? {};
      const changed = body.metadata === undefined ? body : { ...body, metadata };
      return inner.send({ ...request, body: JSON.stringify(changed) });
    },
  };
}

const noConditions: Mutation = {
  name: 'no-conditions',
  sentence: 'Writes say neither which object they are meant for nor which state of it.',
  seenBy: ['once-per-object'],
  defect: { transport: unconditional },
};

const recordedAfterwards: Mutation = {
  name: 'recorded-afterwards',
  sentence: 'The record of a takeover is written when the takeover is over, not before it acts.',
  seenBy: ['on-record-before-it-acts'],
  defect: {
    parts: (parts) => {
      const unsaved = new Map<string, StoredRecord>();
      const cluster = withMethods(parts.cluster, (inner) => ({
        async createRecord(_term, record) {
          const stored = { record, resourceVersion: 'unsaved', annotations: {} };
          unsaved.set(record.id, stored);
          return stored;
        },
        async updateRecord(term, seen, record) {
          if (!unsaved.has(record.id)) return inner.updateRecord(term, seen, record);
          if (record.result !== undefined) {
            unsaved.delete(record.id);
            const created = await inner.createRecord(term, record);
            return created === 'exists' ? 'conflict' : created;
          }
          const stored = { record, resourceVersion: 'unsaved', annotations: {} };
          unsaved.set(record.id, stored);
          return stored;
        },
        readRecord: async (term, id) => unsaved.get(id) ?? inner.readRecord(term, id),
      }));
      return { ...parts, cluster };
    },
  },
};

const marksForgotten: Mutation = {
  name: 'marks-forgotten',
  sentence: 'The marks on a node that came back are thought to be gone, and stay.',
  seenBy: ['recovery'],
  defect: {
    parts: (parts) => ({
      ...parts,
      cluster: withMethods(parts.cluster, () => ({ clearTaints: async () => 'written' })),
    }),
  },
};

const noReleaseOfPods: Mutation = {
  name: 'pods-by-name',
  sentence: 'Every pod that bears the name of a dead one is deleted, the replacement included.',
  seenBy: ['on-record-before-it-acts', 'the-living-are-left-alone', 'once-per-object'],
  defect: {
    parts: (parts) => ({
      ...parts,
      cluster: withMethods(parts.cluster, (inner) => ({
        async readPods(term, namespace, names) {
          const pods = await inner.readPods(term, namespace, names);
          for (const { metadata, spec } of pods) {
            if (spec?.nodeName === undefined) continue;
            const there = await inner.listPodsOn(term, spec.nodeName);
            const found = there.find(({ object }) => object.metadata.name === metadata.name);
            if (found !== undefined) await inner.deletePod(term, found);
          }
          return pods;
        },
      })),
    }),
  },
};

export const clusterMutations: readonly Mutation[] = [
  noConditions,
  recordedAfterwards,
  marksForgotten,
  noReleaseOfPods,
];
