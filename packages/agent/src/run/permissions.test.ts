import { readFileSync } from 'node:fs';
import { neededPermissions } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

interface Role {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

describe('the roles that come with the agent', () => {
  it('grant exactly what it asks for', () => {
    const text = readFileSync(new URL('../../deploy/rbac.yaml', import.meta.url), 'utf8');
    const roles = parseAllDocuments(text)
      .map((document) => document.toJS() as Role)
      .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');
    const granted = roles.flatMap(({ metadata, rules }) =>
      rules.flatMap(({ apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) =>
            verbs.map((verb) => `${metadata.namespace ?? '*'} ${group}/${resource} ${verb}`),
          ),
        ),
      ),
    );
    const namespace = roles
      .map(({ metadata }) => metadata.namespace)
      .find((name) => name !== undefined && name !== 'default' && name !== 'kube-node-lease');
    const needed = neededPermissions({
      namespace: namespace ?? '',
      election: { namespace: namespace ?? '', name: 'liberator' },
    }).map(
      ({ verb, resource, namespace = '*' }) => `${namespace} ${resource.group}/${resource.plural} ${verb}`,
    );
    expect(granted.toSorted()).toEqual(needed.toSorted());
  });
});
