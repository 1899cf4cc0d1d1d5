// A name is not an identity: when a Node speaks for the machine that was noted, and when for another one.
import { describe, expect, it } from 'vitest';
import type { MachineIdentity } from './machine.ts';
import { compareMachines, saysNothing } from './machine.ts';

const uuid = '4c4c4544-0051-3010-8034-b7c04f564d32';
/** The same as firmware of another kind writes it. */
const swapped = '44454c4c-5100-1030-8034-b7c04f564d32';
const otherUuid = '11111111-2222-3333-4444-555555555555';
const zeros = '00000000-0000-0000-0000-000000000000';
const ones = 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF';

const machine = (given: Partial<MachineIdentity>): MachineIdentity => ({
  systemUuid: '',
  machineId: '',
  providerId: '',
  ...given,
});

describe('two machines', () => {
  it.each([
    {
      what: 'all the same',
      a: { systemUuid: uuid, machineId: 'm', providerId: 'p' },
      b: { systemUuid: uuid, machineId: 'm', providerId: 'p' },
      verdict: 'same',
    },
    { what: 'nothing said at all', a: {}, b: {}, verdict: 'unknown' },
    {
      what: 'nothing said by one',
      a: { systemUuid: uuid, machineId: 'm', providerId: 'p' },
      b: {},
      verdict: 'unknown',
    },
    {
      what: 'the same provider id, and nothing else',
      a: { providerId: 'p' },
      b: { providerId: 'p' },
      verdict: 'same',
    },
    {
      what: 'another provider id, and the rest the same',
      a: { machineId: 'm', providerId: 'p' },
      b: { machineId: 'm', providerId: 'q' },
      verdict: 'another',
    },
    {
      what: 'no provider id yet, and the same installation',
      a: { machineId: 'm', providerId: 'p' },
      b: { machineId: 'm' },
      verdict: 'same',
    },
    {
      what: 'the same provider id, made from the name, on another installation',
      a: { machineId: 'm', providerId: 'k3s://node-1' },
      b: { machineId: 'n', providerId: 'k3s://node-1' },
      verdict: 'another',
    },
    {
      what: 'the same board in another byte order',
      a: { systemUuid: uuid },
      b: { systemUuid: swapped },
      verdict: 'same',
    },
    {
      what: 'the same board in capitals',
      a: { systemUuid: uuid },
      b: { systemUuid: uuid.toUpperCase() },
      verdict: 'same',
    },
    {
      what: 'the same board, installed anew',
      a: { systemUuid: uuid, machineId: 'm' },
      b: { systemUuid: swapped, machineId: 'n' },
      verdict: 'same',
    },
    {
      what: 'another board from a copy of the same disk',
      a: { systemUuid: uuid, machineId: 'm' },
      b: { systemUuid: otherUuid, machineId: 'm' },
      verdict: 'another',
    },
    { what: 'another board', a: { systemUuid: uuid }, b: { systemUuid: otherUuid }, verdict: 'another' },
    {
      what: 'a board that now has no number, and the same installation',
      a: { systemUuid: uuid, machineId: 'm' },
      b: { systemUuid: zeros, machineId: 'm' },
      verdict: 'same',
    },
    {
      what: 'boards without a number',
      a: { systemUuid: zeros },
      b: { systemUuid: zeros },
      verdict: 'unknown',
    },
    {
      what: 'boards with every bit set, and another installation',
      a: { systemUuid: ones, machineId: 'm' },
      b: { systemUuid: ones, machineId: 'n' },
      verdict: 'another',
    },
    {
      what: 'boards that nobody numbered',
      a: { systemUuid: '03000200-0400-0500-0006-000700080009' },
      b: { systemUuid: '00020003-0004-0005-0006-000700080009' },
      verdict: 'unknown',
    },
    {
      what: 'a board that is named in no UUID',
      a: { systemUuid: 'SN-7' },
      b: { systemUuid: 'sn-7' },
      verdict: 'same',
    },
  ])('with $what: $verdict', ({ a, b, verdict }) => {
    expect(compareMachines(machine(a), machine(b))).toBe(verdict);
    expect(compareMachines(machine(b), machine(a))).toBe(verdict);
  });
});

it('a machine says nothing when all that it says stands for no machine in particular', () => {
  expect(saysNothing(machine({ systemUuid: ones }))).toBe(true);
  expect(saysNothing(machine({ systemUuid: uuid }))).toBe(false);
  expect(saysNothing(machine({ providerId: 'p' }))).toBe(false);
});
