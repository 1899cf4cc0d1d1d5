// Counts deletions of Nodes in an API server's audit log, which nobody can write to but the API server.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** The parts of an audit.k8s.io/v1 Event that are read here. */
interface AuditEvent {
  readonly stage?: string;
  readonly verb?: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp?: string;
}

/** How many Nodes were deleted since `since`, whoever asked for it; deletions that were refused don't count. */
export async function countNodeDeletes(path: string, since: Date): Promise<number> {
  let deletes = 0;
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) if (isNodeDelete(line, since)) deletes += 1;
  return deletes;
}

export function isNodeDelete(line: string, since: Date): boolean {
  // Most lines are about something else, and parsing them all would take seconds.
  if (!line.includes('"delete"')) return false;
  const { stage, verb, objectRef, responseStatus, requestReceivedTimestamp = '' } = parse(line);
  return (
    stage === 'ResponseComplete' &&
    verb === 'delete' &&
    objectRef?.resource === 'nodes' &&
    objectRef.subresource === undefined &&
    responseStatus?.code === 200 &&
    Date.parse(requestReceivedTimestamp) >= since.getTime()
  );
}

function parse(line: string): AuditEvent {
  try {
    return JSON.parse(line) as AuditEvent;
  } catch {
    // The last line while it is being written.
    return {};
  }
}
