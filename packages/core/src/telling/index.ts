// What a leader tells people: published while it leads, read by whoever may.

export { recordName } from '../takeover/records/names.ts';
export {
  readTakeoverRecords,
  readTakeovers,
  type TakeoversOnRecord,
} from '../takeover/records/takeover-records.ts';
export type { DrillStatus, NodeCheck, PolicyDrill, RungStatus } from './drill-status.ts';
export type { NodeStatus, PublishedHealth, StatusDocument } from './status-document.ts';
export type { StatusStore } from './status-publisher.ts';
export { createStatusStore, readStatus, type StatusStoreOptions } from './status-store.ts';
