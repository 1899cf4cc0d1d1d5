// The embedded API server: a request in, an answer out. It knows nothing of sockets, and keeps no time but the clock's.
import { type Clock, sleep } from '@liberator/core';
import { asStatusError, methodNotAllowed, type StatusError, unknownPath } from '../store/status-error.ts';
import type { ServerStore } from '../store/store.ts';
import { reviewAccess } from './access-review.ts';
import { type AuditEvent, auditOf } from './audit.ts';
import { type Authorizer, accessDenied, accessTo, asWhoeverCounts } from './authorization.ts';
import { discoveryAt, serverVersion } from './discovery.ts';
import { readGetVersion, readListRequest, tooLargeVersion } from './list-options.ts';
import { listPage } from './pages.ts';
import { type ApiHandler, type ApiRequest, type ApiResponse, jsonResponse, textResponse } from './request.ts';
import { type ResourceRoute, type Route, routeOf, type Verb, verbOf } from './route.ts';
import { watchStream } from './watch-stream.ts';
import { answerWrite } from './writes.ts';

/** Options of {@link createApiHandler}. */
export interface ApiHandlerOptions {
  readonly store: ServerStore;
  readonly clock: Clock;
  /** Default: everybody may do everything. */
  readonly authorize?: Authorizer;
  /** Called once for each request about objects, when its answer is known: for a watch, when it begins. */
  readonly onAudit?: (event: AuditEvent) => void;
  /** How often a quiet watch hears a bookmark; default one minute, as the real server. */
  readonly bookmarkIntervalMs?: number;
  /** How long a watch lasts that names no `timeoutSeconds`; default 45 minutes, the middle of the real server's range. */
  readonly watchTimeoutMs?: number;
}

/** The embedded API server over a store. */
export function createApiHandler(options: ApiHandlerOptions): ApiHandler {
  return async (received) => {
    let request = received;
    let route: Route | undefined;
    let response: ApiResponse;
    try {
      route = routeOf(request);
      request = asWhoeverCounts(received, options.authorize);
      response = await answer(options, request, route);
    } catch (error) {
      response = failure(asStatusError(error));
    }
    if (options.onAudit !== undefined && route?.kind === 'resource') {
      const verb = verbOf(request.method, route);
      options.onAudit(auditOf(request, route, verb, response.status, options.clock.wallTime()));
    }
    return response;
  };
}

/** An error as an answer, with the header that says when to come back. */
export function failure({ status }: StatusError): ApiResponse {
  const seconds = status.details?.retryAfterSeconds;
  return jsonResponse(status.code, status, seconds === undefined ? {} : { 'retry-after': String(seconds) });
}

function answer(
  options: ApiHandlerOptions,
  request: ApiRequest,
  route: Route,
): ApiResponse | Promise<ApiResponse> {
  switch (route.kind) {
    case 'resource':
      return answerResource(options, request, route);
    case 'health':
      return textResponse(200, 'ok');
    case 'version':
      return jsonResponse(200, serverVersion);
    case 'discovery': {
      const document = discoveryAt(route.parts);
      return document === undefined ? pageNotFound() : jsonResponse(200, document);
    }
    case 'accessReview':
      return reviewAccess(request, options.authorize);
    case 'unknown':
      if (route.inServedGroup) throw unknownPath();
      return pageNotFound();
  }
}

const pageNotFound = (): ApiResponse => textResponse(404, '404 page not found\n');

function answerResource(
  options: ApiHandlerOptions,
  request: ApiRequest,
  route: ResourceRoute,
): ApiResponse | Promise<ApiResponse> {
  const verb = verbOf(request.method, route);
  if (verb === undefined) throw methodNotAllowed();
  const access = accessTo(route, verb, request.user);
  if (options.authorize?.(access) === false) throw accessDenied(access);
  return isRead(verb)
    ? answerRead(options, request, route, verb)
    : answerWrite(options, request, route, verb);
}

type ReadVerb = 'get' | 'list' | 'watch';

const isRead = (verb: Verb): verb is ReadVerb => verb === 'get' || verb === 'list' || verb === 'watch';

async function answerRead(
  options: ApiHandlerOptions,
  request: ApiRequest,
  route: ResourceRoute,
  verb: ReadVerb,
): Promise<ApiResponse> {
  const { store, clock } = options;
  switch (verb) {
    case 'get': {
      await waitForVersion(options, readGetVersion(route.query), request.signal);
      return jsonResponse(200, store.get(route.type, route.namespace, route.name ?? ''));
    }
    case 'list': {
      await waitForVersion(options, readListRequest(route.query).version ?? 0, request.signal);
      return jsonResponse(200, listPage(store, route, request.staleAt));
    }
    case 'watch': {
      const { bookmarkIntervalMs = 60_000, watchTimeoutMs: defaultTimeoutMs = 45 * 60_000 } = options;
      const environment = { store, clock, bookmarkIntervalMs, defaultTimeoutMs, signal: request.signal };
      const headers = { 'content-type': 'application/json' };
      return { status: 200, headers, body: watchStream(route, environment) };
    }
  }
}

/** How long a read waits for a version that is still to come, as the real server's cache does. */
const longestVersionWaitMs = 3_000;
const versionPollMs = 100;

/** @throws StatusError 504 when the store doesn't get there in time. */
async function waitForVersion(
  { store, clock }: ApiHandlerOptions,
  version: number,
  signal: AbortSignal,
): Promise<void> {
  const until = clock.now() + longestVersionWaitMs;
  while (store.resourceVersion() < version) {
    if (clock.now() >= until || signal.aborted) throw tooLargeVersion(version, store.resourceVersion());
    await sleep(clock, versionPollMs, signal);
  }
}
