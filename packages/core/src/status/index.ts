// What a leader tells people: published while it leads, read by whoever may.
export { createStatusStore, readStatus, type StatusStoreOptions } from '../kubernetes/status-store.ts';
export {
  readTakeoverRecords,
  readTakeovers,
  recordName,
  type TakeoversOnRecord,
} from '../kubernetes/takeover-records.ts';
export type { NodeStatus, PublishedHealth, StatusDocument } from './status-document.ts';
export type { StatusStore } from './status-publisher.ts';
