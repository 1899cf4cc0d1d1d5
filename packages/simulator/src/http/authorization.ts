// Who may do what: an injected rule decides, and a refusal reads as the real server's does.
import { qualifiedResource, StatusError } from '../store/status-error.ts';
import type { ApiRequest } from './request.ts';
import type { ResourceRoute, Verb } from './route.ts';

/** What somebody wants to do, in the words of Kubernetes' authorization. */
export interface AccessAttributes {
  /** Who asks. */
  readonly user: string;
  /** In the words of RBAC. */
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  /** Plural: `nodes`. */
  readonly resource: string;
  /** `status`, `eviction` */
  readonly subresource?: string;
  /** Absent for all namespaces, and where there are none. */
  readonly namespace?: string;
  /** Absent for lists. */
  readonly name?: string;
}

/** Whether somebody may do something. */
export type Authorizer = (attributes: AccessAttributes) => boolean;

/** What `verb` on `route` needs. */
export function accessTo(route: ResourceRoute, verb: Verb, user: string): AccessAttributes {
  const { type, subresource, namespace, name } = route;
  return {
    user,
    verb,
    group: type.group,
    resource: type.plural,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}

/**
 * The request as it counts: that of whoever its sender asks to be taken for.
 *
 * @throws StatusError 403 when the sender may not do that.
 */
export function asWhoeverCounts(request: ApiRequest, authorize: Authorizer | undefined): ApiRequest {
  const { impersonates, ...rest } = request;
  if (impersonates === undefined) return request;
  const access = impersonation(request.user, impersonates);
  if (authorize?.(access) === false) throw accessDenied(access);
  return { ...rest, user: impersonates };
}

function impersonation(user: string, whom: string): AccessAttributes {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(whom) ?? [];
  const what = { user, verb: 'impersonate', group: '' };
  return namespace !== undefined && name !== undefined
    ? { ...what, resource: 'serviceaccounts', namespace, name }
    : { ...what, resource: 'users', name: whom };
}

/** 403 in the words of the real server. */
export function accessDenied(attributes: AccessAttributes): StatusError {
  const { user, verb, group, resource, subresource, namespace, name } = attributes;
  const subject = qualifiedResource({ group, plural: resource });
  const target = subresource === undefined ? resource : `${resource}/${subresource}`;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const why = `User "${user}" cannot ${verb} resource "${target}" in API group "${group}" ${scope}`;
  const message =
    name === undefined ? `${subject} is forbidden: ${why}` : `${subject} "${name}" is forbidden: ${why}`;
  return new StatusError(403, 'Forbidden', message, {
    ...(name === undefined ? {} : { name }),
    ...(group === '' ? {} : { group }),
    kind: resource,
  });
}
