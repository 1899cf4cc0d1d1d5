// csi-addons on a real API server: its definitions as it has them, and a controller that answers for a storage system that isn't there.
import {
  createReader,
  createTransport,
  type KubernetesObject,
  type KubernetesReader,
  loadKubeConfig,
  networkFencePermissions,
  type Resource,
  type Transport,
} from '@liberator/core';
import type { ControlPlane } from '../control-plane/cluster.ts';
import type { Manifest } from '../deploy/chart.ts';
import { account } from './installation.ts';

const group = 'csiaddons.openshift.io';
const version = 'v1alpha1';
export const csiAddonsVersion: string = `${group}/${version}`;

/** The CSI driver, and the class of it. */
export const ceph = { driver: 'rook-ceph.rbd.csi.ceph.com', class: 'ceph-rbd' } as const;

interface NetworkFence extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly generation?: number };
  readonly spec: {
    readonly fenceState: string;
    readonly cidrs: readonly string[];
    readonly networkFenceClassName: string;
  };
  readonly status?: { readonly result?: string; readonly message?: string };
}

const networkFences: Resource<NetworkFence> = {
  group,
  version,
  plural: 'networkfences',
  kind: 'NetworkFence',
  namespaced: false,
};

const text = { type: 'string' };
const texts = { type: 'array', items: text };
const object = (properties: object, required: readonly string[] = []): object => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
});

function definition(kind: string, scope: 'Cluster' | 'Namespaced', spec: object, status: object): Manifest {
  const plural = kind.toLowerCase().replace(/(class)?$/, (end) => (end === '' ? 's' : 'classes'));
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: object({ spec, status }) },
        },
      ],
    },
  };
}

const immutable = (what: object): object => ({
  ...what,
  'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'it is immutable' }],
});

/** The definitions, and what the chart grants for them. */
export const csiAddonsManifests: readonly Manifest[] = [
  definition(
    'NetworkFence',
    'Cluster',
    object(
      {
        networkFenceClassName: immutable(text),
        fenceState: { ...text, enum: ['Fenced', 'Unfenced'], default: 'Fenced' },
        cidrs: texts,
      },
      ['cidrs', 'fenceState'],
    ),
    object({ result: text, message: text }),
  ),
  definition(
    'NetworkFenceClass',
    'Cluster',
    object({ provisioner: immutable(text) }, ['provisioner']),
    object({}),
  ),
  definition(
    'CSIAddonsNode',
    'Namespaced',
    object({ driver: object({ name: text, nodeID: text, endpoint: text }, ['name', 'nodeID', 'endpoint']) }, [
      'driver',
    ]),
    object({
      state: text,
      networkFenceClientStatus: {
        type: 'array',
        items: object(
          {
            networkFenceClassName: text,
            ClientDetails: { type: 'array', items: object({ id: text, cidrs: texts }, ['id', 'cidrs']) },
          },
          ['networkFenceClassName', 'ClientDetails'],
        ),
      },
    }),
  ),
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'liberator-network-fence' },
    rules: networkFencePermissions.map(({ verb, resource }) => ({
      apiGroups: [resource.group],
      resources: [resource.plural],
      verbs: [verb],
    })),
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'liberator-network-fence' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'liberator-network-fence' },
    subjects: [{ kind: 'ServiceAccount', namespace: account.namespace, name: account.name }],
  },
];

/** Answers for every NetworkFence, until it is disposed of. */
export class CsiAddons implements AsyncDisposable {
  readonly #reader: KubernetesReader;
  readonly #transport: Transport;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** Nobody answers while it is false. */
  answers = true;

  constructor(cluster: ControlPlane) {
    this.#transport = createTransport(loadKubeConfig({ path: cluster.kubeconfigPath }));
    this.#reader = createReader({ transport: this.#transport });
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#transport.close();
  }

  async fences(): Promise<readonly NetworkFence[]> {
    return (await this.#reader.list(networkFences)).items;
  }

  /** What the side-car of a node says. */
  async sidecar(node: string, cidrs: readonly string[]): Promise<void> {
    const path = `/apis/${csiAddonsVersion}/namespaces/default/csiaddonsnodes`;
    const driver = { name: ceph.driver, nodeID: node, endpoint: `pod://plugin-${node}.default:9070` };
    await this.#send('POST', path, {
      apiVersion: csiAddonsVersion,
      kind: 'CSIAddonsNode',
      metadata: { name: node },
      spec: { driver },
    });
    const said = { networkFenceClassName: ceph.class, ClientDetails: [{ id: 'rook-ceph', cidrs }] };
    await this.#send('PATCH', `${path}/${node}/status`, {
      status: { state: 'Connected', networkFenceClientStatus: [said] },
    });
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      if (!this.answers) continue;
      // Before the definitions are served there is nothing to answer.
      const all = await this.fences().catch(() => []);
      for (const fence of all) await this.#answer(fence).catch(() => undefined);
    }
  }

  async #answer({ metadata, spec, status }: NetworkFence): Promise<void> {
    const path = `/apis/${csiAddonsVersion}/networkfences/${metadata.name}`;
    if (metadata.deletionTimestamp !== undefined) {
      await this.#send('PATCH', path, { metadata: { finalizers: null } });
      return;
    }
    const message = `${spec.fenceState === 'Fenced' ? 'fencing' : 'unfencing'} operation successful`;
    if (status?.message === message) return;
    await this.#send('PATCH', path, { metadata: { finalizers: [`${group}/network-fence`] } });
    await this.#send('PATCH', `${path}/status`, { status: { result: 'Succeeded', message } });
  }

  async #send(method: 'POST' | 'PATCH', path: string, body: object): Promise<void> {
    const answer = await this.#transport.send({
      method,
      path,
      signal: AbortSignal.timeout(10_000),
      body: JSON.stringify(body),
      ...(method === 'PATCH' && { contentType: 'application/merge-patch+json' }),
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.body) chunks.push(chunk);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${Buffer.concat(chunks)}`);
  }
}
