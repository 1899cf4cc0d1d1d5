// Reads the API server's audit log: the referee of every test that asks who wrote what, and when.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** One line of the audit log, as far as tests ask for it. */
export interface AuditEvent {
  readonly auditId: string;
  /** `ResponseStarted` is written for watches only, when they begin. */
  readonly stage: 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  readonly verb: string;
  readonly user: string;
  readonly groups: readonly string[];
  readonly userAgent: string;
  readonly uri: string;
  readonly apiGroup: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /**
   * The object's uid, from wherever the log has it: the reference, the response's object or details, or the
   * precondition of a delete.
   */
  readonly uid?: string;
  /** The HTTP status of the answer. */
  readonly code?: number;
  /** Whether its sender may ask for it at all; what is allowed may still be refused by admission. */
  readonly allowed: boolean;
  /** By the API server's clock. */
  readonly receivedAt: Date;
  readonly answeredAt: Date;
  /** The body that was sent, where the audit policy keeps bodies: everything that isn't a component of the cluster. */
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
}

/** What to look for; fields are joined by "and", the words in a list by "or". */
export interface AuditFilter {
  /** Default `ResponseComplete`: every request once. */
  stage?: AuditEvent['stage'];
  verb?: string | readonly string[];
  user?: string | readonly string[];
  resource?: string | readonly string[];
  /** An empty string asks for requests on the resource itself. */
  subresource?: string | readonly string[];
  namespace?: string | readonly string[];
  name?: string | readonly string[];
  code?: number | readonly number[];
  userAgent?: RegExp;
  since?: Date;
  until?: Date;
}

export function matchesAudit(event: AuditEvent, filter: AuditFilter): boolean {
  const { stage = 'ResponseComplete', userAgent, since, until } = filter;
  return (
    event.stage === stage &&
    isOneOf(event.verb, filter.verb) &&
    isOneOf(event.user, filter.user) &&
    isOneOf(event.resource ?? '', filter.resource) &&
    isOneOf(event.subresource ?? '', filter.subresource) &&
    isOneOf(event.namespace ?? '', filter.namespace) &&
    isOneOf(event.name ?? '', filter.name) &&
    isOneOf(event.code ?? 0, filter.code) &&
    (userAgent === undefined || userAgent.test(event.userAgent)) &&
    (since === undefined || event.receivedAt >= since) &&
    (until === undefined || event.receivedAt <= until)
  );
}

function isOneOf<T extends string | number>(found: T, wanted: T | readonly T[] | undefined): boolean {
  return wanted === undefined || (Array.isArray(wanted) ? wanted.includes(found) : found === wanted);
}

/** The matching events, in the order in which the API server wrote them. */
export async function readAudit(path: string, filter: AuditFilter = {}): Promise<AuditEvent[]> {
  const found: AuditEvent[] = [];
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    const event = parseAuditLine(line);
    if (event !== undefined && matchesAudit(event, filter)) {
      found.push(event);
    }
  }
  return found;
}

/** Undefined for what is no event: an empty line, or the last line while it is being written. */
export function parseAuditLine(line: string): AuditEvent | undefined {
  let raw: RawEvent;
  try {
    raw = JSON.parse(line) as RawEvent;
  } catch {
    return undefined;
  }
  if (raw === null || typeof raw !== 'object' || raw.kind !== 'Event') {
    return undefined;
  }
  const { objectRef = {}, user = {}, requestObject, responseObject } = raw;
  const code = raw.responseStatus?.code;
  const uid =
    objectRef.uid ??
    responseObject?.metadata?.uid ??
    responseObject?.details?.uid ??
    requestObject?.preconditions?.uid;
  return {
    auditId: raw.auditID,
    stage: raw.stage,
    verb: raw.verb,
    user: user.username ?? '',
    groups: user.groups ?? [],
    userAgent: raw.userAgent ?? '',
    uri: raw.requestURI,
    apiGroup: objectRef.apiGroup ?? '',
    ...(objectRef.resource === undefined ? {} : { resource: objectRef.resource }),
    ...(objectRef.subresource === undefined ? {} : { subresource: objectRef.subresource }),
    ...(objectRef.namespace === undefined ? {} : { namespace: objectRef.namespace }),
    ...(objectRef.name === undefined ? {} : { name: objectRef.name }),
    ...(uid === undefined ? {} : { uid }),
    ...(code === undefined ? {} : { code }),
    allowed: raw.annotations?.['authorization.k8s.io/decision'] !== 'forbid',
    receivedAt: new Date(raw.requestReceivedTimestamp),
    answeredAt: new Date(raw.stageTimestamp),
    ...(requestObject === undefined ? {} : { requestObject }),
    ...(responseObject === undefined ? {} : { responseObject }),
  };
}

/** The parts of audit.k8s.io/v1 Event that are read here. */
interface RawEvent {
  kind?: string;
  auditID: string;
  stage: AuditEvent['stage'];
  verb: string;
  requestURI: string;
  userAgent?: string;
  user?: { username?: string; groups?: string[] };
  objectRef?: {
    apiGroup?: string;
    resource?: string;
    subresource?: string;
    namespace?: string;
    name?: string;
    uid?: string;
  };
  responseStatus?: { code?: number };
  annotations?: Record<string, string>;
  requestObject?: { preconditions?: { uid?: string } };
  responseObject?: { metadata?: { uid?: string }; details?: { uid?: string } };
  requestReceivedTimestamp: string;
  stageTimestamp: string;
}
