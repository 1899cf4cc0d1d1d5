// Whether a Node speaks for the machine that was noted under its name, or for another one that has the name now. Pure.
import type { Node } from '../kubernetes/objects.ts';

/** What tells a machine from another one that bears its name. Empty strings where the Node doesn't say. */
export interface MachineIdentity {
  /** As the firmware has it; the same board may report it in another byte order after an update. */
  readonly systemUuid: string;
  /** Of the installed system. */
  readonly machineId: string;
  /** As the cloud provider has it. */
  readonly providerId: string;
}

/** `unknown`: at least one of the two says nothing that the other could be held against. */
export type SameMachine = 'same' | 'another' | 'unknown';

/** What a Node says of its machine. Empty strings where it says nothing. */
export function machineOf({ spec, status }: Node): MachineIdentity {
  return {
    systemUuid: status?.nodeInfo?.systemUUID ?? '',
    machineId: status?.nodeInfo?.machineID ?? '',
    providerId: spec?.providerID ?? '',
  };
}

export function saysNothing({ systemUuid, machineId, providerId }: MachineIdentity): boolean {
  return boardOf(systemUuid) === '' && machineId === '' && providerId === '';
}

/**
 * The cloud's name for the machine has to be the same, and so has the machine: by its board where both name it, which
 * outlives a new installation and tells copies of one disk apart, else by its installation. The cloud's name alone proves
 * nothing where it is made from the node's own.
 */
export function compareMachines(noted: MachineIdentity, now: MachineIdentity): SameMachine {
  const provider = compare(noted.providerId, now.providerId);
  if (provider === 'another') return 'another';
  const board = sameBoard(noted.systemUuid, now.systemUuid);
  const installation = compare(noted.machineId.toLowerCase(), now.machineId.toLowerCase());
  const machine = board === 'unknown' ? installation : board;
  return machine === 'unknown' ? provider : machine;
}

/** Whether two UUIDs name one board, in either byte order; `unknown` when one of them names none in particular. */
export function sameBoard(one: string, other: string): SameMachine {
  return compareBoards(boardOf(one), boardOf(other));
}

function compare(one: string, other: string): SameMachine {
  if (one === '' || other === '') return 'unknown';
  return one === other ? 'same' : 'another';
}

/** Firmware writes the first three groups of a UUID in either byte order, and an update may change its mind. */
function compareBoards(one: string, other: string): SameMachine {
  const verdict = compare(one, other);
  return verdict === 'another' && isUuid(one) && swapped(one) === other ? 'same' : verdict;
}

/** What a vendor who numbers no boards leaves in all of them. */
const nobodys: ReadonlySet<string> = new Set([
  '0'.repeat(32),
  'f'.repeat(32),
  '03000200040005000006000700080009',
]);

/** Empty for what stands for no board in particular. */
function boardOf(systemUuid: string): string {
  const digits = systemUuid.trim().toLowerCase().replaceAll('-', '');
  return nobodys.has(digits) || nobodys.has(isUuid(digits) ? swapped(digits) : digits) ? '' : digits;
}

function isUuid(digits: string): boolean {
  return /^[0-9a-f]{32}$/.test(digits);
}

function swapped(digits: string): string {
  const reversed = (group: string): string => (group.match(/../g) ?? []).reverse().join('');
  return (
    reversed(digits.slice(0, 8)) +
    reversed(digits.slice(8, 12)) +
    reversed(digits.slice(12, 16)) +
    digits.slice(16)
  );
}
