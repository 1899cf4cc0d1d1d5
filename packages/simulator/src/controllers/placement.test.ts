// Selectors, quantities, taints and conditions: the small rules on which placement and status rest.
import { expect, test } from 'vitest';
import { VirtualClock } from '../time/virtual-clock.ts';
import { setCondition } from './conditions.ts';
import { mayRunOn } from './placement.ts';
import { meets, selects } from './pod-template.ts';
import { quantity } from './quantities.ts';
import { replacedTaints, tolerates } from './taints.ts';
import type { Condition, Draft, Node } from './wire-objects.ts';

const node = (spec: Node['spec'] & object = {}, labels: Record<string, string> = {}): Node => ({
  metadata: { name: 'n1', uid: 'u', resourceVersion: '1', labels },
  spec,
});

test.each([
  ['250m', 0.25],
  ['2', 2],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['100M', 1e8],
  ['1e3', 1e3],
  ['12E', 12e18],
  ['nonsense', Number.NaN],
  ['5XB', Number.NaN],
])('the quantity %s is %d', (text, value) => {
  expect(quantity(text)).toBe(value);
});

test.each([
  [{ key: 'a', operator: 'In', values: ['1', '2'] }, true],
  [{ key: 'a', operator: 'In', values: ['3'] }, false],
  [{ key: 'b', operator: 'In', values: ['1'] }, false],
  [{ key: 'a', operator: 'NotIn', values: ['1'] }, false],
  [{ key: 'b', operator: 'NotIn', values: ['1'] }, true],
  [{ key: 'a', operator: 'Exists' }, true],
  [{ key: 'b', operator: 'DoesNotExist' }, true],
  [{ key: 'a', operator: 'Gt', values: ['0'] }, true],
  [{ key: 'a', operator: 'Lt', values: ['1'] }, false],
  [{ key: 'a', operator: 'Odd' }, false],
])('the requirement %j on a=1 holds: %s', (requirement, holds) => {
  expect(meets(requirement, { a: '1' })).toBe(holds);
});

test('no selector selects nothing, and an empty one everything', () => {
  expect(selects(undefined, { a: '1' })).toBe(false);
  expect(selects({}, { a: '1' })).toBe(true);
  expect(
    selects({ matchLabels: { a: '1' }, matchExpressions: [{ key: 'b', operator: 'Exists' }] }, { a: '1' }),
  ).toBe(false);
});

test.each([
  [{ key: 'k', operator: 'Equal', value: 'v' }, true],
  [{ key: 'k', value: '' }, false],
  [{ operator: 'Exists' }, true],
  [{}, false],
  [{ key: 'k', operator: 'Exists', effect: 'NoSchedule' }, false],
])('the toleration %j of k=v:NoExecute: %s', (toleration, tolerated) => {
  expect(tolerates(toleration, { key: 'k', value: 'v', effect: 'NoExecute' })).toBe(tolerated);
});

test('taints of others stay as they are, and one that stays keeps its time', () => {
  const old = { key: 'old', effect: 'NoExecute', timeAdded: 'then' } as const;
  const foreign = { key: 'foreign', effect: 'NoExecute' } as const;
  const managed = [
    { key: 'old', effect: 'NoExecute' },
    { key: 'new', effect: 'NoExecute' },
  ] as const;
  const tainted = node({ taints: [old, foreign] });
  expect(replacedTaints(tainted, managed, [{ ...old, timeAdded: 'now' }])).toBeUndefined();
  expect(replacedTaints(tainted, managed, [managed[1]])).toEqual([foreign, managed[1]]);
  expect(replacedTaints(tainted, managed, [])).toEqual([foreign]);
});

test('a condition keeps its transition time until its status changes', async () => {
  const clock = new VirtualClock();
  const conditions: Draft<Condition>[] = [];
  const ready = { type: 'Ready', status: 'True', reason: 'Fine' } as const;
  expect(setCondition(conditions, ready, clock)).toBe(true);
  await clock.advance(60_000);
  expect(setCondition(conditions, ready, clock)).toBe(false);
  expect(setCondition(conditions, { ...ready, reason: 'Better' }, clock)).toBe(true);
  expect(conditions).toEqual([{ ...ready, reason: 'Better', lastTransitionTime: '2026-01-01T00:00:00Z' }]);
  expect(setCondition(conditions, { type: 'Ready', status: 'False' }, clock)).toBe(true);
  expect(conditions).toEqual([
    { type: 'Ready', status: 'False', lastTransitionTime: '2026-01-01T00:01:00Z' },
  ]);
});

test('what keeps a DaemonSet’s pod from coming doesn’t drive it away', () => {
  const tainted = node({ taints: [{ key: 'k', effect: 'NoSchedule' }] }, { disk: 'fast' });
  expect(mayRunOn({}, tainted, ['NoSchedule', 'NoExecute'])).toBe(false);
  expect(mayRunOn({}, tainted, ['NoExecute'])).toBe(true);
  expect(mayRunOn({ nodeSelector: { disk: 'slow' } }, tainted, ['NoExecute'])).toBe(false);
});
