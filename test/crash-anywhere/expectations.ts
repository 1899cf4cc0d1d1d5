// What must be so at the end of a story, however many leaders died in it, and wherever.
import { epochAnnotation, type Node, takeoverSteps } from '@liberator/core';
import { expect } from 'vitest';
import type { Performance } from './performance.ts';
import { peoplesLabel } from './story.ts';

/** The takeover came to its end, and nothing was destroyed twice, nor anything that it wasn't about. */
export function expectTakenOver(performance: Performance): void {
  const { story, dead, violation, stuck, records, pods, trace } = performance;
  expect(violation ?? stuck, trace.slice(-25).join('\n')).toBeUndefined();
  expect(records).toHaveLength(1);
  const [record] = records;
  expect(record).toMatchObject({ node: dead, result: 'recovered' });
  const outcomes = takeoverSteps.map((step) => [step, record?.steps[step]?.outcome]);
  const kept = story.node === 'keep';
  expect(outcomes).toEqual(
    takeoverSteps.map((step) => [step, step === 'remove' && kept ? 'skipped' : 'done']),
  );
  expect([...pods.values()]).not.toContain(undefined);
  expectEachHarmOnce(performance);
  expectNoNeedlessFencing(performance);
  expectEventsOnce(performance);
}

/** The Node is gone; or it is kept, and bears our marks and no others, while no other Node bears any. */
export function expectMarksWhereTheyBelong({ story, dead, nodes, records }: Performance): void {
  const marked = nodes.filter((node) => ourTaints(node).length > 0);
  if (story.node === 'delete') {
    expect(nodes.map(({ metadata }) => metadata.name)).not.toContain(dead.name);
    expect(marked).toEqual([]);
    return;
  }
  expect(marked.map(({ metadata }) => metadata.uid)).toEqual([dead.uid]);
  expect(marked.flatMap(ourTaints)).toEqual([
    `liberator.dev/takeover=${records[0]?.id}:NoSchedule`,
    'node.kubernetes.io/out-of-service=nodeshutdown:NoExecute',
  ]);
}

/** The node is trusted again: it has what people had put on it, and nothing of ours. */
export function expectTakenIn({ story, dead, nodes, records, events, writes }: Performance): void {
  const node = nodes.find(({ metadata }) => metadata.name === dead.name);
  expect(nodes.flatMap(ourTaints)).toEqual([]);
  expect(node?.metadata.annotations ?? {}).not.toHaveProperty([epochAnnotation]);
  expect(node?.metadata.labels).toHaveProperty([peoplesLabel]);
  expect(node?.metadata.uid === dead.uid).toBe(story.node === 'keep');
  const quarantined = story.fate === 'was-cut-off';
  expect(records[0]?.return).toMatchObject({ uid: node?.metadata.uid, welcomed: true, quarantined });
  if (!quarantined) expect(events).not.toContain('NodeQuarantined');
  const since = writes.filter(({ chapter }) => chapter === 'return').map(({ kind }) => kind);
  expect(since).not.toContain('delete-node');
  expect(since).not.toContain('delete-pod');
}

/** Nothing was released, so nothing has happened: the node and its pods are as they were. */
export function expectUndone(performance: Performance): void {
  const { dead, violation, stuck, records, nodes, pods, deletions, marks, trace } = performance;
  expect(violation ?? stuck, trace.slice(-25).join('\n')).toBeUndefined();
  expect(records.map(({ node, result }) => ({ node: node.uid, result }))).toEqual([
    { node: dead.uid, result: 'undone' },
  ]);
  expect(deletions).toEqual([]);
  expect(marks).toBe(0);
  expect(nodes.flatMap(ourTaints)).toEqual([]);
  const node = nodes.find(({ metadata }) => metadata.uid === dead.uid);
  expect(node?.metadata.annotations ?? {}).not.toHaveProperty([epochAnnotation]);
  expect(pods.get('database-0')).toBe(dead.name);
  expectEventsOnce(performance);
}

function expectEachHarmOnce({ story, dead, deletions, marks, harmToTheLiving, records }: Performance): void {
  const uids = (resource: string): readonly (string | undefined)[] =>
    deletions.filter((deletion) => deletion.resource === resource).map(({ requestUid }) => requestUid);
  expect(uids('nodes')).toEqual(story.node === 'delete' ? [dead.uid] : []);
  const deletedPods = uids('pods');
  expect(new Set(deletedPods).size).toBe(deletedPods.length);
  expect(records[0]?.pods.map(({ uid }) => uid)).toEqual(expect.arrayContaining([...deletedPods]));
  expect(marks).toBe(1);
  // One that was cut off lives, and without proof nobody can know: that is what `proof: optional` accepts.
  if (story.fate !== 'was-cut-off') expect(harmToTheLiving).toEqual([]);
}

/**
 * The record says who called the fencer, not whether the call ended: a leader that dies with the call under way, or with
 * its answer not yet on record, is followed by one that calls again. Any other death costs no second call.
 */
function expectNoNeedlessFencing({ story, fencing }: Performance): void {
  expect(fencing.asked).toBe(story.fencer === 'none' ? 0 : 1 + fencing.answersLost);
}

/**
 * Events are for people, and nothing waits for them: a death may lose one. Of a quarantine every leader tells anew, and of a ladder
 * what each rung came to.
 */
function expectEventsOnce({ events, died, story }: Performance): void {
  const rungs = story.fencer === 'ladder' ? 3 : 1;
  const again = new Set(['NodeQuarantined', ...(rungs > 1 ? ['FencingPending'] : [])]);
  const once = events.filter((reason) => !again.has(reason));
  expect(once.toSorted()).toEqual([...new Set(once)].toSorted());
  expect(events.length - once.length).toBeLessThanOrEqual(rungs * (1 + died.length));
}

function ourTaints(node: Node): readonly string[] {
  return (node.spec?.taints ?? [])
    .filter(({ key }) => /^liberator\.dev\/|\/out-of-service$/.test(key))
    .map(({ key, value, effect }) => `${key}=${value}:${effect}`);
}
