// Taints are put on and taken off without touching those of others.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Taint } from '../kubernetes/objects.ts';
import { hasTaint, outOfServiceTaint, takeoverTaint, withoutTaints, withTaints } from './taints.ts';

const other: Taint = { key: 'team', value: 'db', effect: 'NoSchedule' };

describe('taints', () => {
  it('are recognised by key, value and effect', () => {
    expect(hasTaint([takeoverTaint('a')], takeoverTaint('a'))).toBe(true);
    expect(hasTaint([takeoverTaint('a')], takeoverTaint('b'))).toBe(false);
    expect(hasTaint([{ ...outOfServiceTaint, effect: 'NoSchedule' }], outOfServiceTaint)).toBe(false);
    expect(hasTaint([{ ...outOfServiceTaint, timeAdded: 'then' }], outOfServiceTaint)).toBe(true);
    expect(hasTaint(undefined, outOfServiceTaint)).toBe(false);
  });

  it('without a value are the same as with an empty one', () => {
    expect(
      hasTaint([{ key: 'a', effect: 'NoSchedule' }], { key: 'a', value: '', effect: 'NoSchedule' }),
    ).toBe(true);
  });

  it('are added beside those of others, and replace what has the same key and effect', () => {
    expect(withTaints([other], [takeoverTaint('a')])).toEqual([other, takeoverTaint('a')]);
    expect(withTaints([takeoverTaint('old'), other], [takeoverTaint('new')])).toEqual([
      other,
      takeoverTaint('new'),
    ]);
    expect(withTaints(undefined, [outOfServiceTaint])).toEqual([outOfServiceTaint]);
  });

  it('of another takeover under our key stay when ours are taken off', () => {
    expect(withoutTaints([takeoverTaint('a'), takeoverTaint('b')], [takeoverTaint('a')])).toEqual([
      takeoverTaint('b'),
    ]);
  });

  const taints = fc.uniqueArray(
    fc.record<Taint>({
      key: fc.constantFrom('a', 'b', 'liberator.dev/takeover'),
      value: fc.constantFrom('', 'x'),
      effect: fc.constantFrom('NoSchedule', 'NoExecute', 'PreferNoSchedule'),
    }),
    // As in Kubernetes: one taint for a key and an effect.
    { selector: ({ key, effect }) => `${key}:${effect}` },
  );

  it('that were added and taken off leave what was there, but for what they replaced', () => {
    fc.assert(
      fc.property(taints, taints, (before, added) => {
        const replaced = (taint: Taint): boolean =>
          added.some(({ key, effect }) => key === taint.key && effect === taint.effect);
        const during = withTaints(before, added);
        for (const taint of added) expect(hasTaint(during, taint)).toBe(true);
        expect(withTaints(during, added)).toEqual(during);
        expect(withoutTaints(during, added)).toEqual(before.filter((taint) => !replaced(taint)));
      }),
    );
  });
});
