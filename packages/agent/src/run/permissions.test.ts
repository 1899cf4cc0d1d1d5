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
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

const namespace = 'tkr-system';

describe('the roles that come with the agent', () => {
  it('grant exactly what it asks for', () => {
    const text = readFileSync(new URL('../../deploy/install.yaml', import.meta.url), 'utf8');
    const roles = parseAllDocuments(text)
      .map((document) => document.toJS() as Role)
      .filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');
    const granted = roles.flatMap(({ metadata, rules }) =>
      rules.flatMap(({ apiGroups, resources, resourceNames = ['*'], verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) =>
            resourceNames.flatMap((name) =>
              verbs.map((verb) => `${metadata.namespace ?? '*'} ${group}/${resource} ${name} ${verb}`),
            ),
          ),
        ),
      ),
    );
    const needed = neededPermissions({ namespace, election: { namespace, name: 'liberator' } }).map(
      ({ verb, resource, namespace: where = '*', name = '*' }) =>
        `${where} ${resource.group}/${resource.plural} ${name} ${verb}`,
    );
    expect(granted.toSorted()).toEqual(needed.toSorted());
  });
});
