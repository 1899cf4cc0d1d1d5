// Every reason that an Event of ours may carry: a closed list, since people route and silence Events by it.

/** All of them. */
export const nodeEventReasons = [
  'TakeoverHeld',
  'DeathUndecided',
  'ConfirmationIgnored',
  'ActionFailing',
  'WouldTakeOver',
  'TakeoverStarted',
  'TakeoverPolicyChanged',
  'FencingPending',
  'NodeFenced',
  'NodeReleased',
  'NodeRemoved',
  'NodeKept',
  'NodePoweredOn',
  'PowerOnFailed',
  'TakeoverVerified',
  'TakeoverUndone',
  'NodeRestored',
  'NodeReturned',
  'NodeQuarantined',
  'NodeAdmitted',
  'NodeReplaced',
  'StorageGivenBack',
  'RecordSetAside',
  'FenceCheckFailed',
  'FenceCheckPassed',
  'FencedByHand',
  'UnfencedByHand',
] as const;

/** What an Event is about, as a word for machines. What each means is in the repository's `docs/operations.md`. */
export type NodeEventReason = (typeof nodeEventReasons)[number];
