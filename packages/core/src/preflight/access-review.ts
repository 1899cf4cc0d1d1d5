// Who we are to the API server, and everything that it lets us do: questions, asked by creating objects that nobody keeps.
import { KubernetesClient, type RequestOptions } from '../kubernetes/client.ts';
import { isForbidden, isNotFound } from '../kubernetes/errors.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type { Resource } from '../kubernetes/resources.ts';
import type { AskOptions, Permission } from './permissions.ts';

interface SelfSubjectReview extends KubernetesObject {
  readonly status?: { readonly userInfo?: { readonly username?: string } };
}

interface SelfSubjectRulesReview extends KubernetesObject {
  readonly status?: {
    readonly resourceRules?: readonly ResourceRule[] | null;
    readonly incomplete?: boolean;
  };
}

const selfReviews: Resource<SelfSubjectReview> = {
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  namespaced: false,
};

const rulesReviews: Resource<SelfSubjectRulesReview> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectrulesreviews',
  kind: 'SelfSubjectRulesReview',
  namespaced: false,
};

/** What somebody is allowed to do, in the words of RBAC: every verb on every resource of every group. */
export interface ResourceRule {
  /** `*` stands for all. */
  readonly verbs: readonly string[];
  /** `*` stands for all; empty text for the core group. */
  readonly apiGroups?: readonly string[];
  /** Plural, with a subresource behind a slash; `*` stands for all. */
  readonly resources?: readonly string[];
  /** Absent or empty: all of them. */
  readonly resourceNames?: readonly string[];
}

/** What an identity may do in one namespace, as the API server says. */
export interface GrantedRules {
  /** In the server's order. */
  readonly rules: readonly ResourceRule[];
  /** The server could not list everything: an authorizer that answers only single questions has its say, too. */
  readonly incomplete: boolean;
}

/**
 * The name that the API server knows us by; undefined when it does not tell, as before Kubernetes 1.28.
 *
 * @throws as every read does
 */
export async function whoAmI(options: AskOptions): Promise<string | undefined> {
  try {
    const { status } = await ask(options, selfReviews, {});
    return status?.userInfo?.username;
  } catch (error) {
    if (isNotFound(error) || isForbidden(error)) return undefined;
    throw error;
  }
}

/**
 * Everything that we may do in a namespace, what holds for the whole cluster included.
 *
 * @throws as every read does
 */
export async function grantedRules(
  options: AskOptions & { readonly namespace: string },
): Promise<GrantedRules> {
  const { status } = await ask(options, rulesReviews, { spec: { namespace: options.namespace } });
  return { rules: status?.resourceRules ?? [], incomplete: status?.incomplete === true };
}

/** What everybody may ask about themselves is no power over anything. */
const harmlessGroups = new Set(['authorization.k8s.io', 'authentication.k8s.io']);

/**
 * What `rules` allow in `namespace` beyond what is needed: a line for each resource, `get, list secrets`. Whoever has
 * such rights and is not watched is worth stealing.
 */
export function excessIn(
  rules: readonly ResourceRule[],
  needed: readonly Permission[],
  namespace: string,
): readonly string[] {
  const here = needed.filter((one) => one.namespace === undefined || one.namespace === namespace);
  const excess = new Map<string, Set<string>>();
  for (const { verbs, apiGroups = [], resources = [] } of rules) {
    for (const group of apiGroups.filter((one) => !harmlessGroups.has(one))) {
      for (const plural of resources) {
        const beyond = verbs.filter((verb) => !here.some((one) => isFor(one, verb, group, plural)));
        const what = nameOf(group, plural);
        if (beyond.length > 0) excess.set(what, new Set([...(excess.get(what) ?? []), ...beyond]));
      }
    }
  }
  return [...excess].map(([what, verbs]) => `${[...verbs].join(', ')} ${what}`);
}

function isFor({ verb, resource }: Permission, asked: string, group: string, plural: string): boolean {
  return verb === asked && resource.group === group && resource.plural === plural;
}

function nameOf(group: string, plural: string): string {
  if (plural === '*') return group === '*' ? 'everything' : `everything in API group "${group}"`;
  return group === '' ? plural : `${plural}.${group}`;
}

function ask<T extends KubernetesObject>(
  { transport, signal, timeoutMs = 10_000, ...ports }: AskOptions,
  resource: Resource<T>,
  body: object,
): Promise<T> {
  const client = new KubernetesClient({ transport, ...ports });
  const { group, version, kind } = resource;
  const request: RequestOptions = {
    verb: 'create',
    resource,
    body: { apiVersion: `${group}/${version}`, kind, ...body },
    signal,
    timeoutMs,
  };
  return client.request<T>(request);
}
