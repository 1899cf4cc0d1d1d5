// The roles that the documentation gives to people: tests act by them, so that they are enough and are read here alone.

import { fencesIn } from './documents.ts';
import { kindOfYaml } from './yaml-kinds.ts';

export interface DocumentedRole {
  readonly kind: 'ClusterRole' | 'Role';
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

/** @throws Error when a page has no role any more. */
export function rolesOn(page: string): readonly DocumentedRole[] {
  const roles = fencesIn('yaml')
    .filter(({ at }) => at.startsWith(`${page}:`))
    .flatMap(({ text }) => {
      const piece = kindOfYaml(text);
      return piece.kind === 'manifests' ? piece.objects : [];
    })
    .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role');
  if (roles.length === 0) throw new Error(`expected a role in ${page}, found none`);
  return roles as unknown as readonly DocumentedRole[];
}

/** For whoever maintains nodes. */
export function documentedMaintenanceRole(): DocumentedRole {
  const [role] = rolesOn('docs/planned-maintenance.md');
  if (role === undefined) throw new RangeError('there was one just now');
  return role;
}

/** For whoever vouches for a death: one for the cluster, and one for the namespace of Liberator. */
export function documentedConfirmationRoles(): readonly DocumentedRole[] {
  return rolesOn('docs/confirming.md');
}
