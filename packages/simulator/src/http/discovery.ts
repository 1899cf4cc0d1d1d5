// What the server says about itself: its groups, its kinds and its version.
import { apiVersionOf, type ServedResource, servedResources } from '../store/resources.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const reviewGroup = 'authorization.k8s.io';

/** `GET /version`. The version is that of the Kubernetes whose behaviour the simulator is held against. */
export const serverVersion: Readonly<Record<string, string>> = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.3+liberator-simulator',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'simulator',
};

/** The discovery document at the given path parts (`['apis', 'apps']`); undefined where there is none. */
export function discoveryAt([root, first, second]: readonly string[]): object | undefined {
  if (root === 'api') {
    if (first === undefined) return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
    return first === 'v1' ? resourceList('', 'v1') : undefined;
  }
  if (first === undefined)
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupNames().map(groupOf) };
  if (!groupNames().includes(first)) return undefined;
  if (second === undefined) return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(first) };
  return second === 'v1' ? resourceList(first, 'v1') : undefined;
}

function groupNames(): string[] {
  const served = servedResources.map((type) => type.group).filter((group) => group !== '');
  return [...new Set([...served, reviewGroup])];
}

function groupOf(name: string): object {
  const version = { groupVersion: `${name}/v1`, version: 'v1' };
  return { name, versions: [version], preferredVersion: version };
}

function resourceList(group: string, version: string): object {
  const types = servedResources.filter((type) => type.group === group && type.version === version);
  const reviews = {
    name: 'selfsubjectaccessreviews',
    singularName: 'selfsubjectaccessreview',
    namespaced: false,
    kind: 'SelfSubjectAccessReview',
    verbs: ['create'],
  };
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: group === reviewGroup ? [reviews] : types.flatMap(entriesOf),
  };
}

function entriesOf(type: ServedResource): object[] {
  const { plural, kind, namespaced, shortNames } = type;
  const main = {
    name: plural,
    singularName: kind.toLowerCase(),
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
  };
  const status = {
    name: `${plural}/status`,
    singularName: '',
    namespaced,
    kind,
    verbs: ['get', 'patch', 'update'],
  };
  const others = type.subresources.map((name) => subresourceEntry(type, name));
  return [main, ...(type.statusSubresource ? [status] : []), ...others];
}

function subresourceEntry(type: ServedResource, name: string): object {
  const entry = { name: `${type.plural}/${name}`, singularName: '', namespaced: type.namespaced };
  if (name === 'eviction')
    return { ...entry, group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] };
  if (name === 'binding') return { ...entry, kind: 'Binding', verbs: ['create'] };
  return { ...entry, kind: type.kind, verbs: ['update'], apiVersion: apiVersionOf(type) };
}
