// The server's own record of who asked for what and what came of it: tests of a program's manners read it.
import { isObject } from '../store/wire-value.ts';
import type { ApiRequest } from './request.ts';
import type { ResourceRoute, Verb } from './route.ts';

/** One request about objects, and its outcome. */
export interface AuditEvent {
  /** Wall time in milliseconds at which the answer was known. */
  readonly time: number;
  /** Who asked. */
  readonly user: string;
  /** With which program. */
  readonly userAgent?: string;
  /** The method itself when the server doesn't allow it here. */
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  /** Plural: `nodes`. */
  readonly resource: string;
  /** `status`, `eviction` */
  readonly subresource?: string;
  /** Absent for all namespaces, and where there are none. */
  readonly namespace?: string;
  /** Absent for lists and for generated names. */
  readonly name?: string;
  /** The HTTP status of the answer. */
  readonly code: number;
  /** The uid in the preconditions of a delete or eviction: the only object that it may hit. */
  readonly requestUid?: string;
  /** The resourceVersion on which the write was conditional: from preconditions, or from the metadata that were sent. */
  readonly requestResourceVersion?: string;
}

/** The record of a request. */
export function auditOf(
  request: ApiRequest,
  route: ResourceRoute,
  verb: Verb | undefined,
  code: number,
  time: number,
): AuditEvent {
  const { type, namespace, name, subresource } = route;
  const { nameInBody, uid, resourceVersion } = conditionsIn(request.body);
  const named = name ?? nameInBody;
  return {
    time,
    user: request.user,
    ...(request.userAgent === undefined ? {} : { userAgent: request.userAgent }),
    verb: verb ?? request.method.toLowerCase(),
    group: type.group,
    resource: type.plural,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(named === undefined ? {} : { name: named }),
    code,
    ...(uid === undefined ? {} : { requestUid: uid }),
    ...(resourceVersion === undefined ? {} : { requestResourceVersion: resourceVersion }),
  };
}

interface Conditions {
  readonly nameInBody?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

function conditionsIn(body: string | undefined): Conditions {
  const sent = parsed(body);
  if (!isObject(sent)) return {};
  const options = isObject(sent['deleteOptions']) ? sent['deleteOptions'] : sent;
  const preconditions = isObject(options['preconditions']) ? options['preconditions'] : {};
  const metadata = isObject(sent['metadata']) ? sent['metadata'] : {};
  return {
    nameInBody: textOf(metadata['name']),
    uid: textOf(preconditions['uid']),
    resourceVersion: textOf(preconditions['resourceVersion']) ?? textOf(metadata['resourceVersion']),
  };
}

function parsed(body: string | undefined): unknown {
  try {
    return body === undefined || body === '' ? undefined : JSON.parse(body);
  } catch {
    return undefined;
  }
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
