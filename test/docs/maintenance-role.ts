// The role that the documentation gives to whoever maintains nodes: tests act by it, so that it is enough and is read here alone.

import { fencesIn } from './documents.ts';
import { kindOfYaml } from './yaml-kinds.ts';

export interface ClusterRole {
  readonly apiVersion: string;
  readonly kind: 'ClusterRole';
  readonly metadata: { readonly name: string };
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

/** @throws Error when the page has no such role any more. */
export function documentedMaintenanceRole(): ClusterRole {
  const page = 'docs/planned-maintenance.md';
  for (const { at, text } of fencesIn('yaml')) {
    const piece = at.startsWith(`${page}:`) ? kindOfYaml(text) : undefined;
    const role =
      piece?.kind === 'manifests' ? piece.objects.find(({ kind }) => kind === 'ClusterRole') : undefined;
    if (role !== undefined) return role as unknown as ClusterRole;
  }
  throw new Error(`expected a ClusterRole in ${page}, found none`);
}
