// The right machine or none.
import { describe, expect, it } from 'vitest';
import { type Candidate, whichMachine } from './which-machine.ts';

const uuid = '00112233-4455-6677-8899-aabbccddeeff';
const swapped = '33221100-5544-7766-8899-AABBCCDDEEFF';
const other = '4c4c4544-0035-5810-8052-b4c04f4a4d31';
const noted = (systemUuid: string) => ({
  noted: {
    machine: { systemUuid, machineId: '', providerId: '' },
    addresses: [],
    labels: {},
    annotations: {},
  },
});
const found = (id: string, by: 'matched' | 'chosen') => ({ outcome: 'found', id, by });
const refused = (detail: string) => ({ outcome: 'refused', detail });

describe('which machine is meant', () => {
  it.each<[string, readonly Candidate[], string, string | undefined, object]>([
    [
      'the one with the UUID',
      [
        { id: 'a', uuid: other },
        { id: 'b', uuid },
      ],
      uuid,
      undefined,
      found('b', 'matched'),
    ],
    ['in the other byte order too', [{ id: 'b', uuid: swapped }], uuid, undefined, found('b', 'matched')],
    ['without dashes too', [{ id: 'b', uuid }], uuid.replaceAll('-', ''), undefined, found('b', 'matched')],
    [
      'not one of two',
      [
        { id: 'a', uuid },
        { id: 'b', uuid: swapped },
      ],
      uuid,
      undefined,
      refused(`2 machines have the UUID ${uuid}`),
    ],
    [
      'not one of two, though one was chosen',
      [
        { id: 'a', uuid },
        { id: 'b', uuid },
      ],
      uuid,
      'a',
      refused(`2 machines have the UUID ${uuid}`),
    ],
    [
      'nobody, when none has it',
      [{ id: 'a', uuid: other }],
      uuid,
      undefined,
      refused(`no machine has the UUID ${uuid}`),
    ],
    [
      'nobody, when the Node names none',
      [{ id: 'a', uuid }],
      '',
      undefined,
      refused('the Node names no system UUID'),
    ],
    [
      'nobody by zeros',
      [{ id: 'a', uuid: '0'.repeat(32) }],
      '0'.repeat(32),
      undefined,
      refused(`no machine has the UUID ${'0'.repeat(32)}`),
    ],
    [
      'nobody by effs',
      [{ id: 'a', uuid: 'F'.repeat(32) }],
      'f'.repeat(32),
      undefined,
      refused(`no machine has the UUID ${'f'.repeat(32)}`),
    ],
    ['the chosen one, when it is the one', [{ id: 'a', uuid }], uuid, 'a', found('a', 'matched')],
    ['the chosen one, when it names no board', [{ id: 'a' }], uuid, 'a', found('a', 'chosen')],
    ['the chosen one, when the Node names no board', [{ id: 'a', uuid }], '', 'a', found('a', 'chosen')],
    [
      'not the chosen one, when it is another',
      [{ id: 'a', uuid: other }],
      uuid,
      'a',
      refused(`a has the UUID ${other}, and the Node ${uuid}`),
    ],
    [
      'not the chosen one, when its neighbour is the one',
      [{ id: 'a' }, { id: 'b', uuid }],
      uuid,
      'a',
      refused('the UUID of the Node is that of b, not of a'),
    ],
    ['not one that is not there', [{ id: 'a', uuid }], uuid, 'c', refused('there is no machine c')],
    [
      'not one that is there twice',
      [{ id: 'a' }, { id: 'a' }],
      uuid,
      'a',
      refused('2 machines are called a'),
    ],
  ])('%s', (_, candidates, systemUuid, chosen, expected) => {
    expect(whichMachine(candidates, noted(systemUuid), chosen)).toEqual(expected);
  });
});
