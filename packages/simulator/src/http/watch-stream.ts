// Watches: a stream of changes that a client pulls at its own pace, with bookmarks, a time limit and an honest end.
import { type Clock, sleep } from '@liberator/core';
import { apiVersionOf } from '../store/resources.ts';
import { asStatusError, type StatusBody } from '../store/status-error.ts';
import type { ServerStore, StoredObject, VersionedEvent } from '../store/store.ts';
import { askedVersion, numberOf, type Selection, selectionOf } from './pages.ts';
import { bytesOf } from './request.ts';
import { isTrue, type ResourceRoute } from './route.ts';

/** What a watch needs from the server around it. */
export interface WatchEnvironment {
  readonly store: ServerStore;
  readonly clock: Clock;
  /** How often a quiet watch hears a bookmark. */
  readonly bookmarkIntervalMs: number;
  /** How long a watch lasts that names no `timeoutSeconds`. */
  readonly defaultTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** A bookmark comes this long before a watch ends, so that the next one starts from the newest version. */
const lastBookmarkBeforeEndMs = 2_000;

/** Changes that go out as one chunk. */
const batchSize = 100;

interface WatchRequest {
  readonly selected: Selection;
  /** Where to go on; undefined when the watch begins with all that is there. */
  readonly from: number | undefined;
  readonly bookmarks: boolean;
  readonly initialEvents: boolean;
  readonly timeoutMs: number;
}

/** @throws StatusError 400 when the request can't be read: before that, nothing has been answered. */
export function watchStream(route: ResourceRoute, environment: WatchEnvironment): AsyncIterable<Uint8Array> {
  const { query } = route;
  const version = askedVersion(query);
  const seconds = numberOf(query, 'timeoutSeconds') ?? 0;
  const bookmarks = isTrue(query.get('allowWatchBookmarks'));
  const request: WatchRequest = {
    selected: selectionOf(route),
    from: version === 0 ? undefined : version,
    bookmarks,
    initialEvents: bookmarks && isTrue(query.get('sendInitialEvents')),
    timeoutMs: seconds > 0 ? seconds * 1000 : environment.defaultTimeoutMs,
  };
  return stream(route, request, environment);
}

async function* stream(
  { type }: ResourceRoute,
  request: WatchRequest,
  { store, clock, bookmarkIntervalMs, signal }: WatchEnvironment,
): AsyncGenerator<Uint8Array> {
  const endsAt = clock.now() + request.timeoutMs;
  let bookmarkAt = nextBookmark(clock.now(), bookmarkIntervalMs, endsAt);
  const bookmark = (version: number, annotations?: object): Uint8Array =>
    line('BOOKMARK', {
      kind: type.kind,
      apiVersion: apiVersionOf(type),
      metadata: { resourceVersion: String(version), creationTimestamp: null, ...annotations },
    });

  let cursor: number;
  if (request.from === undefined) {
    const { objects, resourceVersion } = store.snapshot(type);
    cursor = resourceVersion;
    const lines = objects.filter(request.selected).map((object) => textOf('ADDED', object));
    if (lines.length > 0) yield bytesOf(lines.join(''));
    if (request.initialEvents)
      yield bookmark(cursor, { annotations: { 'k8s.io/initial-events-end': 'true' } });
  } else {
    cursor = request.from;
  }

  let changed = false;
  let wake = (): void => {};
  const unsubscribe = store.onChange(type, () => {
    changed = true;
    wake();
  });
  try {
    let first = true;
    while (!signal.aborted && clock.now() < endsAt) {
      changed = false;
      const events = readEvents(store, type, cursor, first);
      if ('failure' in events) {
        if (events.failure !== undefined) yield line('ERROR', events.failure);
        return;
      }
      first = false;
      const last = events.list.at(-1);
      if (last !== undefined) {
        cursor = last.resourceVersion;
        const text = events.list.map((event) => shown(event, request.selected)).join('');
        if (text !== '') yield bytesOf(text);
        continue;
      }
      cursor = Math.max(cursor, store.resourceVersion());
      if (request.bookmarks && clock.now() >= bookmarkAt) {
        bookmarkAt = nextBookmark(clock.now(), bookmarkIntervalMs, endsAt);
        yield bookmark(cursor);
        continue;
      }
      if (changed) continue;
      const until = request.bookmarks ? Math.min(bookmarkAt, endsAt) : endsAt;
      const over = new AbortController();
      wake = (): void => over.abort();
      signal.addEventListener('abort', wake, { once: true });
      await sleep(clock, until - clock.now(), over.signal);
      signal.removeEventListener('abort', wake);
    }
  } finally {
    unsubscribe();
  }
}

type EventsRead = { readonly list: readonly VersionedEvent[] } | { readonly failure: StatusBody | undefined };

/** A watch that starts too late is told so; one that became too slow is just ended, as the real server does. */
function readEvents(
  store: ServerStore,
  type: ResourceRoute['type'],
  cursor: number,
  first: boolean,
): EventsRead {
  try {
    return { list: store.eventsAfter(type, cursor, batchSize) };
  } catch (error) {
    return { failure: first ? asStatusError(error).status : undefined };
  }
}

function nextBookmark(now: number, intervalMs: number, endsAt: number): number {
  const beforeEnd = endsAt - lastBookmarkBeforeEndMs;
  const next = now + intervalMs;
  return now < beforeEnd ? Math.min(next, beforeEnd) : Number.POSITIVE_INFINITY;
}

/** What a watch with a selector makes of a change: an object that begins or ceases to fit comes or goes. */
function shown({ type, object, previous }: VersionedEvent, selected: Selection): string {
  const fits = selected(object);
  const fitted = previous !== undefined && selected(previous);
  if (type === 'DELETED') return fitted ? textOf('DELETED', object) : '';
  if (fits) return textOf(fitted ? 'MODIFIED' : 'ADDED', object);
  if (!fitted || previous === undefined) return '';
  // The last state that fitted, with the version of the change that took it away.
  const { resourceVersion } = object.metadata;
  return textOf('DELETED', { ...previous, metadata: { ...previous.metadata, resourceVersion } });
}

/** Many watches send the same object: it is written as JSON once. */
const texts = new WeakMap<StoredObject, string>();

function textOf(type: string, object: StoredObject): string {
  let text = texts.get(object);
  if (text === undefined) {
    text = JSON.stringify(object);
    texts.set(object, text);
  }
  return `{"type":"${type}","object":${text}}\n`;
}

function line(type: string, object: unknown): Uint8Array {
  return bytesOf(`${JSON.stringify({ type, object })}\n`);
}
