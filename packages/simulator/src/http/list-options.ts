// What a list or a watch may ask for beside its selectors: how new, how many, for how long. Checked before anything is read.
import {
  badRequest,
  type FieldError,
  forbiddenValue,
  invalid,
  StatusError,
  serverFault,
  unsupportedValue,
} from '../store/status-error.ts';

/** How old the answer to a list may be. */
type VersionMatch = 'Exact' | 'NotOlderThan';

/** The options of a list, read and checked. */
export interface ListRequest {
  /** Objects in a page; 0 for all. */
  readonly limit: number;
  readonly continueToken: string | undefined;
  /** The `resourceVersion`; undefined asks for the newest. */
  readonly version: number | undefined;
  readonly match: VersionMatch | undefined;
}

/** The options of a watch, read and checked. */
export interface WatchRequest {
  /** The changes after this one, or from now on; undefined begins with all that is there. */
  readonly from: number | 'now' | undefined;
  readonly bookmarks: boolean;
  /** Whether a bookmark says where the initial objects end. */
  readonly initialEvents: boolean;
  /** Undefined leaves it to the server. */
  readonly timeoutMs: number | undefined;
}

/** @throws StatusError 400, 422 */
export function readListRequest(query: URLSearchParams): ListRequest {
  const text = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const continueToken = query.get('continue') || undefined;
  const errors: FieldError[] = [];
  const field = 'resourceVersionMatch';
  if (match !== '') {
    if (text === '') {
      errors.push(forbiddenValue(field, `${field} is forbidden unless resourceVersion is provided`));
    }
    if (continueToken !== undefined) {
      errors.push(forbiddenValue(field, `${field} is forbidden when continue is provided`));
    }
    if (!isMatch(match)) errors.push(unsupportedValue(field, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && text === '0') {
      errors.push(forbiddenValue(field, `${field} "exact" is forbidden for resourceVersion "0"`));
    }
  }
  if (query.has('sendInitialEvents')) {
    errors.push(forbiddenValue('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  }
  if (errors.length > 0) throw invalidListOptions(errors);
  if (text !== '' && !isVersion(text)) throw badRequest(`invalid resource version: ${notAVersion(text)}`);
  const limit = Math.max(numberIn(query, 'limit') ?? 0, 0);
  return {
    limit,
    continueToken,
    version: text === '' ? undefined : Number(text),
    match: isMatch(match) ? match : undefined,
  };
}

/** @throws StatusError 400, 422, 500 */
export function readWatchRequest(query: URLSearchParams): WatchRequest {
  const match = query.get('resourceVersionMatch') ?? '';
  const errors: FieldError[] = [];
  const field = 'resourceVersionMatch';
  if (query.has('sendInitialEvents') && match !== 'NotOlderThan') {
    errors.push(forbiddenValue(field, `sendInitialEvents requires setting ${field} to NotOlderThan`));
  }
  if (match !== '' && !query.has('sendInitialEvents')) {
    errors.push(
      forbiddenValue(field, `${field} is forbidden for watch unless sendInitialEvents is provided`),
    );
  }
  const text = query.get('resourceVersion') ?? '';
  // A watch that begins with all that is there has the match set for it.
  if (query.get('continue') && (match !== '' || text === '' || text === '0')) {
    errors.push(forbiddenValue(field, `${field} is forbidden when continue is provided`));
  }
  if (match !== '' && match !== 'NotOlderThan') errors.push(unsupportedValue(field, match, ['NotOlderThan']));
  if (errors.length > 0) throw invalidListOptions(errors);
  // The real server fails here, rather than blame the client.
  if (text !== '' && !isVersion(text)) throw serverFault(notAVersion(text));
  const seconds = numberIn(query, 'timeoutSeconds') ?? 0;
  const bookmarks = isTrue(query.get('allowWatchBookmarks'));
  const initialEvents = isTrue(query.get('sendInitialEvents'));
  const version = Number(text);
  const onlyNews = query.has('sendInitialEvents') && !initialEvents;
  return {
    from: initialEvents || (version === 0 && !onlyNews) ? undefined : version || 'now',
    bookmarks,
    initialEvents: bookmarks && initialEvents,
    timeoutMs: seconds > 0 ? seconds * 1000 : undefined,
  };
}

/** The `resourceVersion` that a read of one object must not be older than. @throws StatusError 500 */
export function readGetVersion(query: URLSearchParams): number {
  const text = query.get('resourceVersion') ?? '';
  if (text === '') return 0;
  if (!isVersion(text)) throw serverFault(notAVersion(text));
  return Number(text);
}

/** How the real server reads booleans in queries: anything that isn't a no is a yes. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

const isMatch = (text: string): text is VersionMatch => text === 'Exact' || text === 'NotOlderThan';

const isVersion = (text: string): boolean => /^\d+$/.test(text);

function notAVersion(text: string): string {
  const quoted = JSON.stringify(text);
  return `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`;
}

function invalidListOptions(errors: readonly FieldError[]): StatusError {
  return invalid({ group: 'meta.k8s.io', plural: 'listoptions', kind: 'ListOptions' }, '', errors);
}

/** A query parameter that is a whole number. @throws StatusError 400 */
export function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (/^-?\d+$/.test(text)) return Number(text);
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** A resourceVersion that is still to come: the real server waits for it for a moment, then says when to come back. */
export function tooLargeVersion(asked: number, current: number): StatusError {
  return new StatusError(
    504,
    'Timeout',
    `Timeout: Too large resource version: ${asked}, current: ${current}`,
    {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  );
}
