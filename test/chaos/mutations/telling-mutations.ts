// Defects of what is told and written, and of keeping one node's trouble its own.
import { sleep, type TakeoverRecord, type Transport } from '@liberator/core';
import { withMethods } from './cluster-mutations.ts';
import type { Mutation } from './mutation.ts';
import { fault, only, withSwitch } from './stages.ts';

const tellsNothing: Mutation = {
  name: 'tells-nothing',
  sentence: 'No Event ever leaves.',
  seenBy: ['nothing-is-silent'],
  from: 8,
  defect: {
    parts: (parts) => ({
      ...parts,
      cluster: withMethods(parts.cluster, () => ({ publishEvent: async () => ({ name: 'never' }) })),
    }),
  },
};

const tellsAgainAndAgain: Mutation = {
  name: 'tells-again-and-again',
  sentence: 'Every Event leaves ten times.',
  seenBy: ['nothing-is-a-flood'],
  defect: {
    parts: (parts) => ({
      ...parts,
      cluster: withMethods(parts.cluster, (inner) => ({
        async publishEvent(term, event) {
          for (let count = 0; count < 9; count++) await inner.publishEvent(term, event);
          return inner.publishEvent(term, event);
        },
      })),
    }),
  },
};

const oneAtATime: Mutation = {
  name: 'one-at-a-time',
  sentence: 'A takeover is begun only when every other one is over.',
  seenBy: ['one-nodes-trouble-is-its-own'],
  from: 36,
  defect: {
    parts: (parts) => {
      const open = new Set<string>();
      const note = ({ id, result }: TakeoverRecord): void => {
        if (result === undefined) open.add(id);
        else open.delete(id);
      };
      const cluster = withMethods(parts.cluster, (inner) => ({
        async createRecord(term, record) {
          // It says that it waits: what is wrong is that it does.
          const words = { type: 'Warning', reason: 'TakeoverHeld', message: 'one at a time' } as const;
          if (open.size > 0 && !open.has(record.id))
            await inner.publishEvent(term, { ...words, node: record.node });
          while (open.size > 0 && !open.has(record.id)) {
            if (parts.clock === undefined || !(await sleep(parts.clock, 500, term.signal))) break;
          }
          note(record);
          return inner.createRecord(term, record);
        },
        async updateRecord(term, seen, record) {
          note(record);
          return inner.updateRecord(term, seen, record);
        },
      }));
      return { ...parts, cluster };
    },
  },
};

/** Whoever finds a record in its way, or another one than it knew, writes over it. */
function overbearing(inner: Transport): Transport {
  return {
    close: () => inner.close(),
    async send(request) {
      const answer = await inner.send(request);
      const isRecord = request.path.includes('/configmaps') && request.method !== 'DELETE';
      if (!isRecord || answer.status !== 409 || request.body === undefined) return answer;
      const { metadata, data } = JSON.parse(request.body);
      const path = request.path.split('?')[0] ?? '';
      return inner.send({
        ...request,
        method: 'PATCH',
        path: request.method === 'POST' ? `${path}/${metadata.name}` : path,
        contentType: 'application/merge-patch+json',
        body: JSON.stringify({ data }),
      });
    },
  };
}

const writesOverRecords: Mutation = {
  name: 'writes-over-records',
  sentence:
    'A record that is there already, or that has changed, is written over by whoever works on a takeover.',
  seenBy: ['unreadable-records-are-left-alone'],
  on: ['record-spoiled'],
  defect: { transport: overbearing },
  // Spoiled while its takeover waits for the switch.
  stage: (scenario) =>
    only(withSwitch(scenario, 20_000, 'required'), [
      fault('machine-crash', 'node-1', [5, 300]),
      fault('record-spoiled', 'node-1', [40, 240], 'not-json'),
    ]),
};

export const tellingMutations: readonly Mutation[] = [
  tellsNothing,
  tellsAgainAndAgain,
  oneAtATime,
  writesOverRecords,
];
