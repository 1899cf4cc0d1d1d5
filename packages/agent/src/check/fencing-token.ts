// Does the API server itself refuse a leader that is none any more?
import type { KubernetesReader, Resource } from '@liberator/core';
import type { Place } from '../cluster/place.ts';
import { type Account, userNameOf } from './account.ts';
import { type Finding, lookingAt, ok, warning } from './finding.ts';

export interface AdmissionPolicy {
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly paramKind?: { readonly kind?: string };
    readonly matchConstraints?: {
      readonly resourceRules?: readonly { readonly resources?: readonly string[] }[];
    };
    readonly matchConditions?: readonly { readonly expression: string }[];
  };
  readonly status?: {
    readonly typeChecking?: { readonly expressionWarnings?: readonly { readonly warning: string }[] };
  };
}

export interface AdmissionBinding {
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly policyName?: string;
    readonly validationActions?: readonly string[];
    readonly paramRef?: {
      readonly name?: string;
      readonly namespace?: string;
      readonly parameterNotFoundAction?: string;
    };
  };
}

const registration = { group: 'admissionregistration.k8s.io', version: 'v1', namespaced: false } as const;
const policies: Resource<AdmissionPolicy> = {
  ...registration,
  plural: 'validatingadmissionpolicies',
  kind: 'ValidatingAdmissionPolicy',
};
const bindings: Resource<AdmissionBinding> = {
  ...registration,
  plural: 'validatingadmissionpolicybindings',
  kind: 'ValidatingAdmissionPolicyBinding',
};

export function checkFencingToken(
  reader: KubernetesReader,
  account: Account,
  place: Place,
): Promise<readonly Finding[]> {
  return lookingAt('the fencing-token policy', async () => {
    const [all, bound] = await Promise.all([reader.list(policies), reader.list(bindings)]);
    return judgeFencingToken(all.items, bound.items, account, place);
  });
}

/** Known by what it does, not by its name: it compares what happens to Nodes with a Lease. */
export function judgeFencingToken(
  all: readonly AdmissionPolicy[],
  bound: readonly AdmissionBinding[],
  account: Account,
  { election }: Place,
): readonly Finding[] {
  const policy = all.find(
    ({ spec }) =>
      spec?.paramKind?.kind === 'Lease' &&
      (spec.matchConstraints?.resourceRules ?? []).some(({ resources = [] }) => resources.includes('nodes')),
  );
  if (policy === undefined) {
    const advice =
      'not installed: a leader that was paused could act late on a Node; it comes with the manifests, fencing-token.yaml';
    return [warning('the fencing-token policy', advice)];
  }
  const { name } = policy.metadata;
  const binding = bound.find(({ spec }) => spec?.policyName === name);
  return [
    judgeAccount(policy, account),
    ...judgeTypes(policy),
    binding === undefined
      ? warning(
          `${name} is not bound`,
          'a ValidatingAdmissionPolicyBinding has to name it, or it does nothing',
        )
      : judgeBinding(binding, election),
  ];
}

function judgeAccount({ metadata, spec }: AdmissionPolicy, account: Account): Finding {
  const user = userNameOf(account);
  const conditions = spec?.matchConditions ?? [];
  const speaksOfIt =
    conditions.length === 0 || conditions.some(({ expression }) => expression.includes(user));
  return speaksOfIt
    ? ok(`${metadata.name} is installed`)
    : warning(`${metadata.name} is about another account`, `none of its conditions names ${user}`);
}

function judgeTypes({ metadata, status }: AdmissionPolicy): readonly Finding[] {
  const warnings = status?.typeChecking?.expressionWarnings ?? [];
  return warnings.map((one) =>
    warning(`${metadata.name} does not fit this Kubernetes`, one.warning.replaceAll(/\s+/g, ' ')),
  );
}

function judgeBinding({ metadata, spec = {} }: AdmissionBinding, election: Place['election']): Finding {
  const { validationActions = [], paramRef = {} } = spec;
  const what = `its binding ${metadata.name}`;
  if (!validationActions.includes('Deny')) {
    return warning(
      what,
      `expected the action Deny, found ${validationActions.join(', ') || 'none'}: it refuses nothing`,
    );
  }
  if (paramRef.name !== election.name || paramRef.namespace !== election.namespace) {
    const found = `${paramRef.namespace ?? ''}/${paramRef.name ?? ''}`;
    return warning(
      what,
      `expected the Lease ${election.namespace}/${election.name}, found ${found}: another election counts`,
    );
  }
  // Kubernetes looks for the Lease before it asks whom a request is from.
  const stops = 'expected parameterNotFoundAction Allow: without a Lease nobody at all could change a Node';
  return paramRef.parameterNotFoundAction === 'Deny'
    ? warning(what, stops)
    : ok(`${what} denies by the Lease ${election.namespace}/${election.name}`);
}
