// The chart as whoever installs it meets it: what it accepts, what it refuses and how, and what comes of its values.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { neededPermissions, networkFencePermissions, observersElection } from '@liberator/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { createProgram } from '../../packages/agent/src/command-line.ts';
import type { Config } from '../../packages/agent/src/config/config.ts';
import { parseConfig } from '../../packages/agent/src/config/read-config.ts';
import { chart, type Manifest, parseManifests, pick, type RenderOptions, renderChart } from './chart.ts';
import { grantsOf } from './least-privilege.ts';
import { type DeployTools, findTools } from './tools.ts';

let tools: DeployTools;
beforeAll(async () => {
  tools = await findTools();
});

const read = (file: string): string => readFileSync(join(chart, file), 'utf8');

const render = async (options: Omit<RenderOptions, 'tools'> = {}): Promise<readonly Manifest[]> =>
  parseManifests(await renderChart({ ...options, tools }));

const refusal = async (options: Omit<RenderOptions, 'tools'>): Promise<string> => {
  const said: unknown = await render(options).catch((error: unknown) => error);
  return said instanceof Error ? said.message : 'accepted';
};

/** With these values in a file, as people keep them. */
async function withValues<T>(values: object, use: (options: RenderOptions) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'liberator-values-'));
  try {
    const file = join(folder, 'values.yaml');
    writeFileSync(file, stringify(values));
    return await use({ valueFiles: [file] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As a pod would read it. */
function configIn(manifests: readonly Manifest[]): { config: Config; warnings: readonly string[] } {
  const data = pick(manifests, 'ConfigMap')['data'] as Record<string, string>;
  const surroundings = { namespace: 'tkr-system', identity: 'liberator-abc_1' };
  return parseConfig(data['liberator.yaml'] ?? '', 'liberator.yaml', surroundings);
}

interface PodSpec {
  readonly containers: readonly {
    readonly image: string;
    readonly args: readonly string[];
    readonly ports: object[];
    readonly volumeMounts: readonly object[];
  }[];
  readonly volumes: readonly object[];
}

const templateOf = (
  manifests: readonly Manifest[],
): { metadata: { annotations: Record<string, string> }; spec: PodSpec } =>
  (pick(manifests, 'Deployment')['spec'] as { template: ReturnType<typeof templateOf> }).template;

const everythingOn = {
  createNamespace: true,
  rbac: { networkFence: true },
  metrics: { serviceMonitor: { enabled: true, labels: { release: 'prometheus' } } },
  networkPolicy: {
    enabled: true,
    metricsFrom: [{ namespaceSelector: {} }],
    devices: [{ to: [{ ipBlock: { cidr: '10.20.0.0/24' } }], ports: [{ port: 443 }] }],
    dns: true,
  },
  fencing: { secrets: { bmc: 'bmc-credentials' } },
  image: { digest: `sha256:${'a'.repeat(64)}` },
  imagePullSecrets: [{ name: 'pull' }],
  tolerations: [{ operator: 'Exists' }],
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  affinity: { nodeAffinity: {} },
  podLabels: { team: 'storage' },
  podAnnotations: { note: 'x' },
};

const everythingOff = {
  serviceAccount: { create: false },
  rbac: { create: false },
  fencingToken: { enabled: false },
  podDisruptionBudget: { enabled: false },
  criticalPodQuota: false,
  priorityClassName: '',
  replicas: 1,
};

describe('the chart', () => {
  it('mounts the Secrets of fence devices where the configuration can name their files', async () => {
    const fencing = { secrets: { bmc: 'bmc-credentials', pdu: 'pdu.credentials' } };
    await withValues({ fencing }, async (options) => {
      const { spec } = templateOf(await render(options));
      expect(spec.volumes).toEqual(
        expect.arrayContaining([
          { name: 'fencing-bmc', secret: { secretName: 'bmc-credentials', defaultMode: 0o444 } },
          { name: 'fencing-pdu', secret: { secretName: 'pdu.credentials', defaultMode: 0o444 } },
        ]),
      );
      const [container] = spec.containers;
      expect(container?.volumeMounts).toContainEqual({
        name: 'fencing-bmc',
        mountPath: '/etc/fencing/bmc',
        readOnly: true,
      });
    });
    for (const [folder, secret, wrong] of [
      ['../x', 'a', '../x'],
      ['Bmc', 'a', 'Bmc'],
      ['bmc', 'A_b', 'A_b'],
    ] as const) {
      await withValues({ fencing: { secrets: { [folder]: secret } } }, async (options) => {
        expect(await refusal(options)).toContain(`'${wrong}' does not match pattern`);
      });
    }
  });

  it('opens the network to fence devices only where it is told to', async () => {
    const egress = async (networkPolicy: object): Promise<unknown> =>
      withValues({ networkPolicy: { enabled: true, ...networkPolicy } }, async (options) => {
        const spec = pick(await render(options), 'NetworkPolicy')['spec'] as { egress: unknown };
        return spec.egress;
      });
    const always = { ports: [{ port: 443 }, { port: 6443 }, { port: 10250 }] };
    const device = { to: [{ ipBlock: { cidr: '10.20.0.0/24' } }], ports: [{ port: 623, protocol: 'UDP' }] };
    const names = {
      ports: [
        { port: 53, protocol: 'UDP' },
        { port: 53, protocol: 'TCP' },
      ],
    };
    expect(await egress({})).toEqual([always]);
    expect(await egress({ devices: [device], dns: true })).toEqual([always, device, names]);
    const everywhere = { networkPolicy: { enabled: true, devices: [{ ports: [{ port: 443 }] }] } };
    await withValues(everywhere, async (options) => {
      expect(await refusal(options)).toContain('to');
    });
  });

  it.each([
    ['as it is', {}],
    ['with everything on', everythingOn],
    ['with everything off', everythingOff],
  ])('passes strict linting %s', async (_, values) => {
    await withValues(values, async ({ valueFiles = [] }) => {
      const said = await tools.helm(
        'lint',
        '--strict',
        ...valueFiles.flatMap((file) => ['--values', file]),
        chart,
      );
      expect(said).toContain('0 chart(s) failed');
    });
  });

  it('makes what is switched on, and nothing of what is switched off', async () => {
    const kinds = async (values: object): Promise<readonly string[]> =>
      withValues(values, async (options) => (await render(options)).map(({ kind }) => kind).toSorted());
    const least = ['ConfigMap', 'Deployment'];
    expect(await kinds(everythingOff)).toEqual(least);
    const roles = [
      'ClusterRole',
      'ClusterRoleBinding',
      ...Array(3).fill('Role'),
      ...Array(3).fill('RoleBinding'),
    ];
    const usual = [
      ...least,
      ...roles,
      'PodDisruptionBudget',
      'ResourceQuota',
      'ServiceAccount',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
    ];
    expect(await kinds({})).toEqual(usual.toSorted());
    const optional = ['Namespace', 'NetworkPolicy', 'Service', 'ServiceMonitor'];
    expect(await kinds(everythingOn)).toEqual([...usual, ...optional].toSorted());
  });

  it('has the version of the agent that it installs', () => {
    const { version } = JSON.parse(readFileSync(join(chart, '../package.json'), 'utf8')) as {
      version: string;
    };
    expect(parse(read('Chart.yaml'))).toMatchObject({ version, appVersion: version });
  });

  it.each([
    ['replicaz=3', "additional properties 'replicaz' not allowed"],
    ['replicas=0', "at '/replicas': minimum: got 0, want 1"],
    ['replicas=two', "at '/replicas': got string, want integer"],
    ['spread.nodes=Maybe', "at '/spread/nodes': value must be one of 'DoNotSchedule', 'ScheduleAnyway'"],
    ['config.policies=null', "at '/config': missing property 'policies'"],
    ['startupTimeout=30', "at '/startupTimeout': got number, want string"],
    ['image.digest=latest', "at '/image/digest': 'latest' does not match pattern"],
    [
      'config.identity=me',
      'expected no config.identity, found "me": replicas that share one could both lead',
    ],
    ['config.namespace=x', 'expected no config.namespace, found "x": the agent takes that of its pod'],
  ])('refuses %s and says why', async (setting, message) => {
    const [key = '', value = ''] = setting.split('=');
    expect(await refusal({ set: { [key]: value } })).toContain(message);
  });

  it('refuses another namespace for the release than for its objects, unless it is told', async () => {
    const args = ['--namespace', 'elsewhere'];
    expect(await refusal({ args })).toContain('expected --namespace tkr-system');
    for (const namespace of ['', 'elsewhere']) {
      const manifests = await render({ args, set: { namespace } });
      expect(pick(manifests, 'Deployment').metadata.namespace).toBe('elsewhere');
      expect(stringify(manifests)).not.toContain('tkr-system');
    }
  });

  it('refuses a Kubernetes without admission policies as long as the fencing token is on', async () => {
    const args = ['--kube-version', '1.29.0'];
    expect(await refusal({ args })).toContain(
      'the fencing token needs Kubernetes 1.30 or newer, found v1.29.0',
    );
    expect(await refusal({ args, set: { 'fencingToken.enabled': 'false' } })).toBe('accepted');
  });
});

describe('the chart for those who fence storage', () => {
  it('grants exactly what that takes beyond the rest, and to nobody who only observes', async () => {
    const granted = async (values: object): Promise<readonly string[]> =>
      grantsOf(await withValues(values, render)).map(
        ({ verb, group, resource, namespace = '*' }) => `${namespace} ${group}/${resource} ${verb}`,
      );
    const before = await granted({});
    const after = await granted({ rbac: { networkFence: true } });
    const needed = networkFencePermissions.map(
      ({ verb, resource }) => `* ${resource.group}/${resource.plural} ${verb}`,
    );
    expect(after.filter((grant) => !before.includes(grant)).toSorted()).toEqual(needed.toSorted());
    const observing = { config: { mode: 'observe', policies: [{ name: 'all', nodes: { all: true } }] } };
    expect(await granted({ ...observing, rbac: { networkFence: true } })).toEqual(await granted(observing));
  });
});

describe('the chart for those who only observe', () => {
  const observing = { config: { mode: 'observe', policies: [{ name: 'all', nodes: { all: true } }] } };

  it('grants exactly what they ask for, and brings no fencing token', async () => {
    const manifests = await withValues(observing, render);
    const granted = grantsOf(manifests).map(
      ({ verb, group, resource, namespace = '*', name = '*' }) =>
        `${namespace} ${group}/${resource} ${name} ${verb}`,
    );
    const namespace = 'tkr-system';
    const election = observersElection({ namespace, name: 'liberator' });
    const needed = neededPermissions({ namespace, election, mode: 'observe' }).map(
      ({ verb, resource, namespace: where = '*', name = '*' }) =>
        `${where} ${resource.group}/${resource.plural} ${name} ${verb}`,
    );
    expect(granted.toSorted()).toEqual(needed.toSorted());
    expect(granted.filter((grant) => /nodes|pods/.test(grant) && !/(list|watch)$/.test(grant))).toEqual([]);
    expect(manifests.map(({ kind }) => kind)).not.toContain('ValidatingAdmissionPolicy');
    expect(configIn(manifests).config.mode).toBe('observe');
  });

  it('records on a volume of each pod when it is told to', async () => {
    const template = templateOf(await render({ set: { 'recording.enabled': 'true' } }));
    expect(template.spec.containers[0]?.args).toContain('--record=/var/lib/liberator/journal');
    expect(template.spec).toMatchObject({
      volumes: [{ name: 'config' }, { name: 'journal', emptyDir: { sizeLimit: '512Mi' } }],
    });
    expect(templateOf(await render()).spec.containers[0]?.args.join(' ')).not.toContain('record');
  });
});

describe('the guards', () => {
  const enabled = { guard: { enabled: true, nodeSelector: { watchdog: 'present' } } };
  const guards = 'liberator-guards';

  it('are not there unless somebody wants them', async () => {
    expect((await render()).filter(({ metadata }) => metadata.name.includes('guard'))).toEqual([]);
  });

  it('run privileged where a device is, and nowhere else', async () => {
    await withValues(enabled, async (options) => {
      const manifests = await render(options);
      const daemonSet = pick(manifests, 'DaemonSet', 'liberator-guard');
      expect(daemonSet.metadata.namespace).toBe(guards);
      expect(daemonSet['spec']).toMatchObject({
        updateStrategy: { rollingUpdate: { maxSurge: 0 } },
        template: {
          spec: {
            nodeSelector: { watchdog: 'present' },
            tolerations: [{ operator: 'Exists' }],
            hostNetwork: true,
            priorityClassName: 'system-node-critical',
            volumes: [{ hostPath: { path: '/dev/watchdog0', type: 'CharDevice' } }],
            containers: [
              {
                args: ['guard', '--device=/dev/watchdog0', '--grant=30s', '--http=127.0.0.1:9809'],
                securityContext: { privileged: true, readOnlyRootFilesystem: true },
              },
            ],
          },
        },
      });
      // A probe that kills it would have its watchdog fed once more.
      expect(stringify(daemonSet)).not.toContain('livenessProbe');
      expect(() => parseGuard(daemonSet)).not.toThrow();
    });
  });

  it('may write Leases of theirs alone, and the leader may read them', async () => {
    await withValues(enabled, async (options) => {
      const manifests = await render(options);
      const granted = grantsOf(manifests)
        .filter(({ namespace }) => namespace === guards)
        .map(({ role, group, resource, verb }) => `${role} ${group}/${resource} ${verb}`);
      expect(granted.toSorted()).toEqual([
        `Role ${guards}/liberator-guard coordination.k8s.io/leases create`,
        `Role ${guards}/liberator-guard coordination.k8s.io/leases get`,
        `Role ${guards}/liberator-guard coordination.k8s.io/leases patch`,
        `Role ${guards}/liberator-guard-reader coordination.k8s.io/leases get`,
      ]);
      const policy = pick(manifests, 'ValidatingAdmissionPolicy', 'liberator-guard-own-lease');
      expect(stringify(policy)).toContain('system:serviceaccount:liberator-guards:liberator-guard');
      expect(stringify(policy)).toContain('authentication.kubernetes.io/node-name');
      expect(pick(manifests, 'Namespace', guards).metadata).toMatchObject({
        labels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
      });
    });
  });

  it.each<[object, string, readonly string[]]>([
    [{ nodeSelector: {} }, 'expected guard.nodeSelector, found none', []],
    [{ namespace: 'tkr-system' }, 'expected a namespace of their own for guards', []],
    [{ device: '/dev/sda' }, "'/dev/sda' does not match pattern", []],
    [{ grnt: '1m' }, "additional properties 'grnt' not allowed", []],
    [{}, 'takes Kubernetes 1.30 or newer, found v1.29.0', ['--kube-version', '1.29.0']],
  ])('with %o are refused: %s', async (change, message, args) => {
    const values = { guard: { ...enabled.guard, ...change }, fencingToken: { enabled: args.length === 0 } };
    await withValues(values, async (options) =>
      expect(await refusal({ ...options, args })).toContain(message),
    );
  });

  function parseGuard(daemonSet: Manifest): void {
    const { template } = daemonSet['spec'] as { template: { spec: PodSpec } };
    const guard = createProgram().commands.find((one) => one.name() === 'guard');
    guard?.action(() => undefined).exitOverride();
    guard?.parse(template.spec.containers[0]?.args.slice(1) ?? ['--nothing'], { from: 'user' });
  }
});

describe('its values', () => {
  it('are those that README.md lists, each with its default', () => {
    const rows = [...read('README.md').matchAll(/^\| `(\S+)` +\| `(.*?)` +\|/gm)];
    const listed = Object.fromEntries(
      rows.map(([, key = '', value = '']) => [key, JSON.parse(value) as unknown]),
    );
    const values = parse(read('values.yaml')) as Record<string, unknown>;
    expect(listed).toEqual(leavesOf(values, Object.keys(listed)));
    expect(rows.map(([, key]) => key)).toEqual(Object.keys(listed));
  });

  it('are all known to the schema, and the schema knows no others', () => {
    interface Schema {
      readonly properties?: Readonly<Record<string, Schema>>;
      readonly additionalProperties?: unknown;
    }
    const keys = (schema: Schema, path = ''): readonly string[] =>
      schema.additionalProperties === false
        ? Object.entries(schema.properties ?? {}).flatMap(([key, inner]) =>
            keys(inner, path ? `${path}.${key}` : key),
          )
        : [path];
    const schema = JSON.parse(read('values.schema.json')) as Schema;
    // Helm's own, and what Kubernetes defines, which people may set.
    const others = [
      'global',
      'resources.requests',
      'resources.limits',
      'resources.claims',
      'imagePullSecrets',
    ];
    const known = keys(schema).filter((key) => !others.includes(key));
    const values = parse(read('values.yaml')) as Record<string, unknown>;
    expect([...known, 'resources', 'imagePullSecrets'].toSorted()).toEqual(
      Object.keys(leavesOf(values, [...known, 'resources', 'imagePullSecrets'])).toSorted(),
    );
  });
});

/** Every value by its path; what stands at one of the paths that are given is taken whole. */
function leavesOf(
  values: Record<string, unknown>,
  whole: readonly string[],
  path = '',
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => {
      const here = path === '' ? key : `${path}.${key}`;
      const isLeaf =
        whole.includes(here) || typeof value !== 'object' || value === null || Array.isArray(value);
      return isLeaf
        ? [[here, value]]
        : Object.entries(leavesOf(value as Record<string, unknown>, whole, here));
    }),
  );
}

describe('the configuration', () => {
  it('is accepted by the agent as it is, and is safe: nothing is freed without a human', async () => {
    const { config, warnings } = configIn(await render());
    expect(warnings).toEqual([]);
    expect(config.namespace).toBe('tkr-system');
    expect(config.policies).toMatchObject([
      {
        nodes: { all: true },
        controlPlane: false,
        fencing: { ladder: [{ fencer: 'manual' }], proof: 'required' },
      },
    ]);
  });

  it('reaches the agent unchanged, whatever it says', async () => {
    const text = readFileSync(join(chart, '../liberator.example.yaml'), 'utf8');
    const { identity: _, namespace: __, ...config } = parse(text) as Record<string, unknown>;
    await withValues({ config }, async (options) => {
      const found = configIn(await render(options)).config;
      const surroundings = { namespace: found.namespace, identity: found.identity };
      expect(found).toEqual(parseConfig(text, 'x', surroundings).config);
    });
  });

  it('that is wrong is left for the agent to refuse, with a line that is in the ConfigMap', async () => {
    const policies = [{ name: 'all', nodes: { all: true }, detection: { deadAftr: '25s' } }];
    await withValues({ config: { policies } }, async (options) => {
      const manifests = await render(options);
      expect(() => configIn(manifests)).toThrow(
        /^liberator\.yaml:\d+: policies\[0\]\.detection\.deadAftr: .*deadAfter\?$/,
      );
    });
  });

  it('starts new replicas when it changes, and only then', async () => {
    const checksum = async (values: object): Promise<string | undefined> =>
      withValues(
        values,
        async (options) => templateOf(await render(options)).metadata.annotations['checksum/config'],
      );
    const before = await checksum({});
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    expect(await checksum({ replicas: 3 })).toBe(before);
    expect(await checksum({ config: { log: { level: 'debug' } } })).not.toBe(before);
  });

  it('names the Lease that the roles and the fencing token speak of, and the port that is probed', async () => {
    const config = { election: { name: 'mine' }, http: { port: 9000 } };
    await withValues(
      { config, networkPolicy: { enabled: true }, metrics: { service: true } },
      async (options) => {
        const manifests = await render(options);
        const rules = pick(manifests, 'Role', 'liberator')['rules'];
        expect(rules).toContainEqual(
          expect.objectContaining({ resources: ['leases'], resourceNames: ['mine'] }),
        );
        expect(pick(manifests, 'ValidatingAdmissionPolicyBinding')['spec']).toMatchObject({
          paramRef: { namespace: 'tkr-system', name: 'mine' },
        });
        const [container] = templateOf(manifests).spec.containers;
        expect(container?.ports).toEqual([{ name: 'http', containerPort: 9000 }]);
        expect(pick(manifests, 'Service')['spec']).toMatchObject({
          ports: [{ port: 9000, targetPort: 'http' }],
        });
      },
    );
  });
});

describe('the pods', () => {
  it('have no more rights than they need, and no name but their own', async () => {
    const { spec } = templateOf(await render());
    expect(spec).toMatchObject({
      serviceAccountName: 'high-availability',
      priorityClassName: 'system-cluster-critical',
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          env: [
            { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          ],
        },
      ],
    });
  });

  it('run the image that is asked for: by tag, or by digest where there is one', async () => {
    const imageWith = async (set: Record<string, string>): Promise<string | undefined> =>
      templateOf(await render({ set })).spec.containers[0]?.image;
    const { appVersion } = parse(read('Chart.yaml')) as { appVersion: string };
    expect(await imageWith({})).toBe(`liberator/agent:${appVersion}`);
    expect(await imageWith({ 'image.repository': 'example.com/l', 'image.tag': 'v9' })).toBe(
      'example.com/l:v9',
    );
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(await imageWith({ 'image.tag': 'v9', 'image.digest': digest })).toBe(`liberator/agent@${digest}`);
  });
});
