// What can go wrong between a client and the API server, and which requests it happens to.
import type { ApiRequest } from '../http/request.ts';
import { routeOf, verbOf } from '../http/route.ts';

/** A request as faults see it. */
export interface RequestFacts {
  /** Who asks. */
  readonly user: string;
  /** With which program. */
  readonly userAgent?: string;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; the method for other paths. */
  readonly verb: string;
  /** Plural; absent for paths such as `/healthz`. */
  readonly resource?: string;
  /** `status`, `eviction` */
  readonly subresource?: string;
  /** Absent for all namespaces, and where there are none. */
  readonly namespace?: string;
  /** Absent for lists. */
  readonly name?: string;
}

/** Which requests a fault is for: those that fit everything that is given. Nothing given means all of them. */
export interface FaultMatch {
  /** Who asks. */
  readonly user?: string | readonly string[];
  /** With which program. */
  readonly userAgent?: string | readonly string[];
  /** As in {@link RequestFacts}. */
  readonly verb?: string | readonly string[];
  /** Plural: `leases`. */
  readonly resource?: string | readonly string[];
  /** `status`, `eviction` */
  readonly subresource?: string | readonly string[];
  /** Of the objects. */
  readonly namespace?: string | readonly string[];
  /** Of the object. */
  readonly name?: string | readonly string[];
  /** For whatever the other fields can't say. */
  readonly where?: (request: RequestFacts) => boolean;
}

/** What happens to a request. */
export type FaultEffect =
  /** Nobody listens: connections are refused, and what is open breaks. The server hears nothing. */
  | { readonly kind: 'refuse' }
  /** Packets are lost: no answer comes, and what is open falls silent, until the fault is gone. Then the server hears it. */
  | { readonly kind: 'hang' }
  /**
   * The request reaches the server `ms` later, plus a random part of `jitterMs`. One that `outlivesSender` gets there
   * even when its sender has given up meanwhile, as from the queue of a proxy; default false.
   */
  | {
      readonly kind: 'delay';
      readonly ms: number;
      readonly jitterMs?: number;
      readonly outlivesSender?: boolean;
    }
  /** The server answers a failure instead of doing what it was asked to. 429 and 503 may say when to come back. */
  | {
      readonly kind: 'answer';
      readonly code: 401 | 403 | 409 | 429 | 500 | 502 | 503 | 504;
      readonly retryAfterSeconds?: number;
    }
  /**
   * The connection breaks: `before` the server has acted, `after` it has acted and before it answers, or `within` the
   * answer, of which half arrives. The client can't tell the first two apart.
   */
  | { readonly kind: 'drop'; readonly moment: 'before' | 'after' | 'within' }
  /** Watches stay open and say nothing more, from `afterMs` on (default 0), until the fault is gone. */
  | { readonly kind: 'stall'; readonly afterMs?: number }
  /** Watches break `afterMs` after they began, or after the fault did (default 0). */
  | { readonly kind: 'cut'; readonly afterMs?: number }
  /** The past is forgotten: 410 for watches that continue and for the next page of a list. */
  | { readonly kind: 'expire' }
  /** A server that lags: lists show the moment at which the fault was added. */
  | { readonly kind: 'stale' };

/** One thing that goes wrong. */
export interface Fault {
  /** Default: every request. */
  readonly match?: FaultMatch;
  /** What happens. */
  readonly effect: FaultEffect;
  /** The chance, per request, that it happens; default 1. What was open when the fault came always gets it. */
  readonly probability?: number;
  /** How many requests it happens to before it is over; default: no limit. */
  readonly times?: number;
  /** How long it lasts, by the clock; default: until it is removed. */
  readonly forMs?: number;
}

/** What faults go by. */
export function factsOf(request: ApiRequest): RequestFacts {
  const { user, userAgent, method } = request;
  const who = { user, ...(userAgent === undefined ? {} : { userAgent }) };
  const route = routeOrNothing(request);
  if (route?.kind !== 'resource') return { ...who, verb: method.toLowerCase() };
  const { type, namespace, name, subresource } = route;
  return {
    ...who,
    verb: verbOf(method, route) ?? method.toLowerCase(),
    resource: type.plural,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}

/** A path that can't be read is the server's to answer. */
function routeOrNothing(request: ApiRequest): ReturnType<typeof routeOf> | undefined {
  try {
    return routeOf(request);
  } catch {
    return undefined;
  }
}

/** Whether a fault is for a request. */
export function matches({ where, ...fields }: FaultMatch, facts: RequestFacts): boolean {
  const known: Readonly<Record<string, unknown>> = { ...facts };
  const fits = Object.entries(fields).every(([field, wanted]) =>
    wanted === undefined ? true : [wanted].flat().includes(String(known[field])),
  );
  return fits && (where?.(facts) ?? true);
}
