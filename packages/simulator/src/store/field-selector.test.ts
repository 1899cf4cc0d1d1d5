import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFieldSelector, selectedName } from './field-selector.ts';
import { resources } from './resources.ts';
import { StatusError } from './status-error.ts';
import type { StoredObject } from './store.ts';

const podNamed = (name: string, more: object = {}): StoredObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: 'u', resourceVersion: '1' },
  ...more,
});

const escaped = (value: string): string => value.replaceAll(/[\\,=]/g, (sign) => `\\${sign}`);

describe('a field selector', () => {
  it('takes any value when its special characters are escaped', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, other) => {
        const fits = parseFieldSelector(resources.pods, `metadata.name=${escaped(name)}`);
        expect(fits(podNamed(name))).toBe(true);
        expect(fits(podNamed(other))).toBe(name === other);
        expect(selectedName(resources.pods, `metadata.name=${escaped(name)}`)).toBe(name);
      }),
    );
  });

  it('is either understood or refused with 400, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'metadata.name', '=', '!', ',', '\\', ' ') }),
        (text) => {
          try {
            parseFieldSelector(resources.pods, text)(podNamed('a'));
          } catch (error) {
            expect(error).toBeInstanceOf(StatusError);
            expect((error as StatusError).status.code).toBe(400);
          }
        },
      ),
    );
  });

  it('reads what is missing as empty, and a missing switch as off', () => {
    expect(parseFieldSelector(resources.pods, 'spec.nodeName=')(podNamed('a'))).toBe(true);
    expect(parseFieldSelector(resources.nodes, 'spec.unschedulable=false')(podNamed('a'))).toBe(true);
  });

  it('names one object only where it asks for equality', () => {
    expect(selectedName(resources.pods, 'metadata.name!=a')).toBeUndefined();
    expect(selectedName(resources.pods, 'status.phase=Running')).toBeUndefined();
  });
});
