// Watches: a stream of changes that a client pulls at its own pace, with bookmarks, a time limit and an honest end.
import type { Clock } from '@liberator/core';
import type { Selection } from '../store/selection.ts';
import { asStatusError, type StatusBody } from '../store/status-error.ts';
import type { ServerStore, StoredObject, VersionedEvent } from '../store/store.ts';
import { bookmarkOf } from './bookmark.ts';
import { Doorbell } from './doorbell.ts';
import { readWatchRequest, type WatchRequest } from './list-options.ts';
import { selectedBy } from './pages.ts';
import { bytesOf } from './request.ts';
import type { ResourceRoute } from './route.ts';

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

/** @throws StatusError 400, 422, 500 when the request can't be read: before that, nothing has been answered. */
export function watchStream(route: ResourceRoute, environment: WatchEnvironment): AsyncIterable<Uint8Array> {
  const request = readWatchRequest(route.query);
  return stream(route, selectedBy(route), request, environment);
}

async function* stream(
  { type }: ResourceRoute,
  selected: Selection,
  request: WatchRequest,
  { store, clock, bookmarkIntervalMs, defaultTimeoutMs, signal }: WatchEnvironment,
): AsyncGenerator<Uint8Array> {
  const endsAt = clock.now() + (request.timeoutMs ?? defaultTimeoutMs);
  let bookmarkAt = nextBookmark(clock.now(), bookmarkIntervalMs, endsAt);
  const { initial, cursor: start, known } = startOf(store, type, request);
  let cursor = start;
  if (initial.length > 0)
    yield bytesOf(
      initial
        .filter(selected)
        .map((one) => textOf('ADDED', one))
        .join(''),
    );
  if (request.initialEvents) yield line('BOOKMARK', bookmarkOf(type, cursor, true));

  const doorbell = new Doorbell(clock);
  const unsubscribe = store.onChange(type, () => doorbell.ring());
  const onAbort = (): void => doorbell.ring();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    let first = true;
    while (!signal.aborted && clock.now() < endsAt) {
      const events = readEvents(store, type, cursor, first);
      if ('failure' in events) {
        if (events.failure !== undefined) yield line('ERROR', events.failure);
        return;
      }
      first = false;
      const last = events.list.at(-1);
      if (last !== undefined) {
        cursor = last.resourceVersion;
        const text = events.list.map((event) => shown(event, selected)).join('');
        if (text !== '') yield bytesOf(text);
        continue;
      }
      cursor = Math.max(cursor, store.resourceVersion());
      if (request.bookmarks && clock.now() >= bookmarkAt) {
        bookmarkAt = nextBookmark(clock.now(), bookmarkIntervalMs, endsAt);
        // A bookmark that says nothing new is not sent.
        if (cursor > known) yield line('BOOKMARK', bookmarkOf(type, cursor, false));
        continue;
      }
      await doorbell.rung(request.bookmarks ? Math.min(bookmarkAt, endsAt) : endsAt);
    }
  } finally {
    unsubscribe();
    signal.removeEventListener('abort', onAbort);
    doorbell.dispose();
  }
}

/** Where a watch begins. */
interface WatchStart {
  /** The objects that it tells of first. */
  readonly initial: readonly StoredObject[];
  /** The version whose successors it tells of. */
  readonly cursor: number;
  /** The newest version that its client knows of from the start. */
  readonly known: number;
}

function startOf(store: ServerStore, type: ResourceRoute['type'], { from }: WatchRequest): WatchStart {
  if (from !== undefined) {
    const cursor = from === 'now' ? store.resourceVersion() : from;
    return { initial: [], cursor, known: cursor };
  }
  const { objects, resourceVersion } = store.snapshot(type);
  const known = objects.reduce(
    (newest, { metadata }) => Math.max(newest, Number(metadata.resourceVersion)),
    0,
  );
  return { initial: objects, cursor: resourceVersion, known };
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
