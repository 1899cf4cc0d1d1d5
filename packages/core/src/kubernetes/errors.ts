// Everything that can go wrong between this library and an API server, each as one class with a stable code, so that
// callers decide by type and people read one sentence that says what to do.
import type { Status } from './objects.ts';
import { apiVersionOf, describeCall, type ResourceAddress, type Verb } from './resources.ts';

/** One call as errors name it. */
export interface CallDescription extends ResourceAddress {
  /** In the words of RBAC. */
  readonly verb: Verb;
}

/** How much of the server's own words a message may carry. */
const longestServerMessage = 500;

/**
 * Thrown when the API server answered, and the answer was a failure. 404 and 409 are often just outcomes: see
 * {@link isNotFound} and {@link isConflict}.
 *
 * Carries nothing of the request's headers or credentials.
 */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError';
  readonly code = 'LIBERATOR_API_ERROR';
  /** The HTTP status, or the code of an ERROR event within a watch. */
  readonly status: number;
  /** Kubernetes' reason, `NotFound` for example; `''` when the server gave none. */
  readonly reason: string;
  /** As the server gave them. */
  readonly details: Status['details'];
  /** How long the server asked to wait, when it did. */
  readonly retryAfterMs: number | undefined;
  /** What was asked for. */
  readonly call: CallDescription;
  /** The server's own words, shortened; `''` when it had none. */
  readonly said: string;
  /** The identity lacks a permission, which the message names. False for a 403 by a quota, a webhook or a policy. */
  readonly lacksPermission: boolean;

  constructor(
    call: CallDescription,
    answer: {
      readonly status: number;
      readonly body?: Partial<Status> | undefined;
      readonly retryAfterMs?: number | undefined;
    },
  ) {
    super(sentence(call, answer.status, answer.body));
    this.call = call;
    this.said = answer.body?.message === undefined ? '' : shorten(answer.body.message);
    this.lacksPermission = lacksPermission(answer.status, answer.body);
    this.status = answer.status;
    this.reason = answer.body?.reason ?? '';
    this.details = answer.body?.details;
    const seconds = answer.body?.details?.retryAfterSeconds;
    this.retryAfterMs = answer.retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000);
  }
}

function sentence(call: CallDescription, status: number, body: Partial<Status> | undefined): string {
  const said = body?.message === undefined ? '' : shorten(body.message);
  const reason = body?.reason === undefined || body.reason === '' ? '' : ` ${body.reason}`;
  if (lacksPermission(status, body)) {
    const { resource, subresource } = call;
    const what = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
    const where =
      resource.namespaced && call.namespace !== undefined
        ? `in namespace ${call.namespace}`
        : 'at the cluster scope';
    const group = resource.group === '' ? 'the core API group' : `API group "${resource.group}"`;
    return (
      `not allowed to ${describeCall(call.verb, call)}: grant this identity the verb "${call.verb}" on ` +
      `resource "${what}" of ${group} ${where}${said === '' ? '' : ` (the server said: ${said})`}`
    );
  }
  if (status === 401) {
    return (
      `could not ${describeCall(call.verb, call)}: the API server did not accept the credentials (401${reason}); ` +
      'check that the token or client certificate belongs to this cluster and has not expired'
    );
  }
  if (status === 404 && body?.details?.name === undefined && call.name === undefined) {
    return (
      `could not ${describeCall(call.verb, call)}: this API server does not serve ` +
      `${call.resource.plural} of ${apiVersionOf(call.resource)} (404${reason})`
    );
  }
  return `could not ${describeCall(call.verb, call)}: the API server answered ${status}${reason}${said === '' ? '' : `: ${said}`}`;
}

/**
 * Whether it is an authorizer that refuses. A quota, a webhook or an admission policy answers 403 as well, and no role
 * helps against those: what they say has to be read.
 */
function lacksPermission(status: number, body: Partial<Status> | undefined): boolean {
  return (
    status === 403 &&
    body?.reason === 'Forbidden' &&
    /\bcannot \S+ (resource|path) "/.test(body.message ?? '')
  );
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= longestServerMessage ? line : `${line.slice(0, longestServerMessage)}...`;
}

/** Which of a call's time limits ran out: until the response head, between two pieces of its body, or for all of it. */
export type TimeoutPhase = 'head' | 'idle' | 'total';

/** Thrown when the API server did not answer in time. */
export class RequestTimeoutError extends Error {
  override readonly name = 'RequestTimeoutError';
  readonly code = 'LIBERATOR_TIMEOUT';
  /** Which limit it was. */
  readonly phase: TimeoutPhase;
  /** The limit, in milliseconds. */
  readonly timeoutMs: number;
  /** False only when it is certain that no byte of the request left; otherwise the server may have acted on it. */
  readonly sent: boolean;

  constructor(call: CallDescription, phase: TimeoutPhase, timeoutMs: number, sent: boolean) {
    const what = {
      head: `no answer within ${timeoutMs} ms`,
      idle: `nothing more arrived for ${timeoutMs} ms`,
      total: `not done within ${timeoutMs} ms`,
    }[phase];
    const effect = sent ? '' : ', and the request was never sent';
    super(`could not ${describeCall(call.verb, call)}: ${what}${effect}`);
    this.phase = phase;
    this.timeoutMs = timeoutMs;
    this.sent = sent;
  }
}

/** Thrown when the caller's own signal ended the call. `cause` is the signal's reason. */
export class RequestAbortedError extends Error {
  override readonly name = 'RequestAbortedError';
  readonly code = 'LIBERATOR_ABORTED';
  /** False only when it is certain that no byte of the request left; otherwise the server may have acted on it. */
  readonly sent: boolean;

  constructor(call: CallDescription, sent: boolean, cause: unknown) {
    super(`stopped on request while trying to ${describeCall(call.verb, call)}`, { cause });
    this.sent = sent;
  }
}

/** Thrown when the server's answer is not what Kubernetes says: not JSON, too large, an event of no known type. */
export class MalformedAnswerError extends Error {
  override readonly name = 'MalformedAnswerError';
  readonly code = 'LIBERATOR_MALFORMED_ANSWER';

  constructor(call: CallDescription, what: string, cause?: unknown) {
    super(
      `could not ${describeCall(call.verb, call)}: ${what}; is this address really a Kubernetes API server?`,
      {
        cause,
      },
    );
  }
}

const hasStatus = (error: unknown, status: number): boolean =>
  error instanceof KubernetesError && error.status === status;

/** 401: the credentials are not accepted. */
export function isUnauthorized(error: unknown): boolean {
  return hasStatus(error, 401);
}

/** 403: the server refuses, for want of a permission or because a quota, a webhook or a policy does; the message says which. */
export function isForbidden(error: unknown): boolean {
  return hasStatus(error, 403);
}

/** 404: there is no such object (any more). */
export function isNotFound(error: unknown): boolean {
  return hasStatus(error, 404);
}

/** 409 because an object of this name is there already. */
export function isAlreadyExists(error: unknown): boolean {
  return hasStatus(error, 409) && (error as KubernetesError).reason === 'AlreadyExists';
}

/** 409 because the object is not the one, or not in the state, that the call was conditional on. */
export function isConflict(error: unknown): boolean {
  return hasStatus(error, 409) && (error as KubernetesError).reason !== 'AlreadyExists';
}

/** 410: the resourceVersion or continue token is too old, and only a new list helps. */
export function isGone(error: unknown): boolean {
  return hasStatus(error, 410);
}

/** 429: too many requests, or, for an eviction, a PodDisruptionBudget that refuses. */
export function isTooManyRequests(error: unknown): boolean {
  return hasStatus(error, 429);
}
