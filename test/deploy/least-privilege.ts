// Compares what roles grant with what was done: a grant that nobody ever used is one too many.
import type { Manifest } from './chart.ts';

/** One verb on one resource that a role allows. */
export interface Grant {
  /** `Role tkr-system/liberator`. */
  readonly role: string;
  readonly verb: string;
  readonly group: string;
  /** With its subresource, if it is about one: `pods/eviction`. */
  readonly resource: string;
  /** Absent: any. */
  readonly namespace?: string;
  /** Absent: any. */
  readonly name?: string;
}

/** Something that was asked of the API server. */
export interface Use {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** `authorization`: no role grants it. `admission`: a role does, and a policy refused it. */
  readonly refusedBy?: 'authorization' | 'admission';
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Every single grant of all roles among the manifests. */
export function grantsOf(manifests: readonly Manifest[]): readonly Grant[] {
  return manifests
    .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
    .flatMap(({ kind, metadata, ...role }) => {
      const { name, namespace } = metadata;
      const about = { role: `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}` };
      return (role['rules'] as readonly Rule[]).flatMap((rule) =>
        combinations(rule).map(
          ([group, resource, verb, object]): Grant => ({
            ...about,
            verb,
            group,
            resource,
            ...(namespace !== undefined && { namespace }),
            ...(object !== undefined && { name: object }),
          }),
        ),
      );
    });
}

function combinations(rule: Rule): readonly (readonly [string, string, string, string | undefined])[] {
  const { apiGroups, resources, verbs, resourceNames = [undefined] } = rule;
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) => resourceNames.map((name) => [group, resource, verb, name] as const)),
    ),
  );
}

/** Those that no use needed. */
export function unusedGrants(grants: readonly Grant[], uses: readonly Use[]): readonly Grant[] {
  return grants.filter((grant) => !uses.some((use) => use.refusedBy === undefined && covers(grant, use)));
}

function covers(grant: Grant, use: Use): boolean {
  return (
    grant.verb === use.verb &&
    grant.group === use.group &&
    grant.resource === use.resource &&
    (grant.namespace === undefined || grant.namespace === use.namespace) &&
    (grant.name === undefined || grant.name === use.name)
  );
}
