// Who may do what: an injected rule decides, and a refusal reads as the real server's does.
import { qualifiedResource, StatusError } from '../store/status-error.ts';
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
