// Which nodes a selector selects; above all that an empty one selects none.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LabelRequirement, type NodeSelector, selects } from './node-selector.ts';

const labels = { zone: 'a', disk: 'ssd', empty: '' };

describe('a node selector', () => {
  it.each<{ what: string; selector: NodeSelector; selected: boolean }>([
    { what: 'nothing at all', selector: {}, selected: false },
    { what: 'empty matchLabels', selector: { matchLabels: {} }, selected: false },
    { what: 'empty everything', selector: { matchLabels: {}, matchExpressions: [] }, selected: false },
    { what: 'all', selector: { all: true }, selected: true },
    { what: 'a label with its value', selector: { matchLabels: { zone: 'a' } }, selected: true },
    { what: 'a label with another value', selector: { matchLabels: { zone: 'b' } }, selected: false },
    { what: 'a label that is missing', selector: { matchLabels: { rack: '1' } }, selected: false },
    { what: 'a missing label with an empty value', selector: { matchLabels: { rack: '' } }, selected: false },
    { what: 'a label whose value is empty', selector: { matchLabels: { empty: '' } }, selected: true },
    { what: 'two labels, one wrong', selector: { matchLabels: { zone: 'a', disk: 'hdd' } }, selected: false },
    {
      what: 'all, but a label is wrong',
      selector: { all: true, matchLabels: { zone: 'b' } },
      selected: false,
    },
    {
      what: 'labels that fit and an expression that does not',
      selector: { matchLabels: { zone: 'a' }, matchExpressions: [{ key: 'disk', operator: 'DoesNotExist' }] },
      selected: false,
    },
  ])('of $what: selected is $selected', ({ selector, selected }) => {
    expect(selects(selector, labels)).toBe(selected);
  });

  it.each<LabelRequirement & { selected: boolean }>([
    { key: 'zone', operator: 'Exists', selected: true },
    { key: 'empty', operator: 'Exists', selected: true },
    { key: 'rack', operator: 'Exists', selected: false },
    { key: 'zone', operator: 'DoesNotExist', selected: false },
    { key: 'rack', operator: 'DoesNotExist', selected: true },
    { key: 'zone', operator: 'In', values: ['a', 'b'], selected: true },
    { key: 'zone', operator: 'In', values: ['b'], selected: false },
    { key: 'zone', operator: 'In', values: [], selected: false },
    { key: 'zone', operator: 'In', selected: false },
    { key: 'rack', operator: 'In', values: [''], selected: false },
    { key: 'zone', operator: 'NotIn', values: ['b'], selected: true },
    { key: 'zone', operator: 'NotIn', values: ['a'], selected: false },
    { key: 'rack', operator: 'NotIn', values: ['a'], selected: true },
    { key: 'zone', operator: 'NotIn', selected: true },
  ])('with $key $operator $values: selected is $selected', ({ selected, ...requirement }) => {
    expect(selects({ matchExpressions: [requirement] }, labels)).toBe(selected);
  });

  it('takes no name for a label that every JavaScript object happens to have', () => {
    for (const key of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(selects({ matchExpressions: [{ key, operator: 'Exists' }] }, labels)).toBe(false);
      expect(selects({ matchExpressions: [{ key, operator: 'DoesNotExist' }] }, labels)).toBe(true);
    }
  });

  it('selects nothing by an operator that nobody knows', () => {
    const requirement = { key: 'zone', operator: 'Gt', values: ['1'] } as unknown as LabelRequirement;
    expect(selects({ matchExpressions: [requirement] }, labels)).toBe(false);
  });
});

const keys = fc.constantFrom('zone', 'disk', 'rack', 'constructor');
const values = fc.constantFrom('a', 'b', '');
const requirements: fc.Arbitrary<LabelRequirement> = fc.record({
  key: keys,
  operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'),
  values: fc.array(values, { maxLength: 2 }),
});
const anyLabels = fc.dictionary(keys, values, { noNullPrototype: true });

describe('for any selector and any labels', () => {
  it('another requirement never selects more nodes', () => {
    fc.assert(
      fc.property(
        fc.array(requirements, { minLength: 1 }),
        requirements,
        anyLabels,
        (some, more, nodeLabels) => {
          if (selects({ matchExpressions: [...some, more] }, nodeLabels)) {
            expect(selects({ matchExpressions: some }, nodeLabels)).toBe(true);
          }
        },
      ),
    );
  });

  it('an expression and its negation split all nodes between them', () => {
    const negations = { In: 'NotIn', NotIn: 'In', Exists: 'DoesNotExist', DoesNotExist: 'Exists' } as const;
    fc.assert(
      fc.property(requirements, anyLabels, (requirement, nodeLabels) => {
        const negated = { ...requirement, operator: negations[requirement.operator] };
        expect(selects({ matchExpressions: [requirement] }, nodeLabels)).toBe(
          !selects({ matchExpressions: [negated] }, nodeLabels),
        );
      }),
    );
  });

  it('matchLabels says the same as In with one value', () => {
    fc.assert(
      fc.property(keys, values, anyLabels, (key, value, nodeLabels) => {
        expect(selects({ matchLabels: { [key]: value } }, nodeLabels)).toBe(
          selects({ matchExpressions: [{ key, operator: 'In', values: [value] }] }, nodeLabels),
        );
      }),
    );
  });
});
