// A real control plane that `npm run cluster` started: the demo moves in, crashes one of its nodes, and moves out again.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CoreV1Api, KubeConfig, VersionApi } from '@kubernetes/client-node';
import {
  createReader,
  createTransport,
  isNotFound,
  type KubernetesReader,
  leases,
  loadKubeConfig,
  nodes,
} from '@liberator/core';
import { DemoFailure, sentenceOf, UsageError } from '../failure.ts';
import { countNodeDeletes } from './audit-log.ts';
import { commandFor, runClusterCommand } from './cluster-command.ts';
import { createObjects, deleteObjects, exists, type Manifest, readManifests } from './create-objects.ts';
import { agentAccount, agentNamespace, type DemoCluster, withProbes } from './demo-cluster.ts';

/** What the agents need, of all that is installed with them: here they are processes, and nobody's pods. */
const permissions = ['namespace', 'service-account', 'rbac'].map((name) =>
  fileURLToPath(import.meta.resolve(`@liberator/agent/deploy/base/${name}.yaml`)),
);

/** Good for the whole demo; real ones are renewed by the kubelet. */
const tokenSeconds = 3_600;

/** Where `npm run cluster` notes what it started. */
const clusterFile = 'cluster.json';

const movingOutMs = 90_000;

export interface RealClusterOptions {
  readonly kubeconfig: string;
  /** Where the agents' kubeconfig is written. */
  readonly directory: string;
  /** Called with one sentence for each thing that moving out does or fails to do. */
  readonly onNotice: (text: string) => void;
}

/**
 * @throws UsageError when the kubeconfig doesn't belong to a cluster of `npm run cluster`.
 * @throws DemoFailure when the cluster is in no state for a demo.
 */
export async function enterRealCluster(options: RealClusterOptions): Promise<DemoCluster> {
  const { kubeconfig, directory, onNotice } = options;
  const home = dirname(resolve(kubeconfig));
  if (!existsSync(kubeconfig)) throw new UsageError(`there is no file ${kubeconfig}`);
  if (!existsSync(join(home, clusterFile))) {
    throw new UsageError(
      `expected the kubeconfig of a cluster that "npm run cluster -- up 3" started, since the demo has to crash a ` +
        `machine of it; found none of its files beside ${kubeconfig}`,
    );
  }
  const kubeConfig = loadKubeConfig({ path: kubeconfig });
  const transport = createTransport(kubeConfig, { purpose: 'demo' });
  const reader = createReader({ transport });
  const stay = new Stay({ kubeConfig, reader, home, onNotice });
  try {
    const names = await readyNodes(reader, home);
    await expectNoLeader(reader);
    const { gitVersion } = await kubeConfig.makeApiClient(VersionApi).getCode();
    await stay.create(permissions.flatMap((file) => readManifests(file)));
    const agentKubeconfig = join(directory, 'agent.kubeconfig');
    writeFileSync(agentKubeconfig, await accountKubeconfig(kubeConfig), { mode: 0o600 });
    return {
      kind: 'real',
      version: gitVersion,
      about: 'a real control plane with hollow kubelets',
      changedTimers: changedTimers(join(home, clusterFile)),
      nodes: names,
      adminKubeconfig: kubeconfig,
      agentKubeconfig,
      detection: withProbes,
      providesVolumes: false,
      create: (objects) => stay.create(objects),
      crash: (node) => stay.crash(node),
      powerOn: (node) => stay.powerOn(node),
      nodeDeletes: (since) => countNodeDeletes(join(home, 'audit.log'), since),
      [Symbol.asyncDispose]: async () => {
        await stay.end();
        await transport.close();
      },
    };
  } catch (error) {
    await stay.end();
    await transport.close();
    throw error;
  }
}

/** What the demo has done to the cluster, and how it is taken back. */
class Stay {
  readonly #kubeConfig: KubeConfig;
  readonly #reader: KubernetesReader;
  readonly #home: string;
  readonly #onNotice: (text: string) => void;
  readonly #created: Manifest[] = [];
  readonly #crashed: string[] = [];

  constructor(options: {
    kubeConfig: KubeConfig;
    reader: KubernetesReader;
    home: string;
    onNotice: (text: string) => void;
  }) {
    this.#kubeConfig = options.kubeConfig;
    this.#reader = options.reader;
    this.#home = options.home;
    this.#onNotice = options.onNotice;
  }

  create(objects: readonly Manifest[]): Promise<void> {
    return createObjects(this.#kubeConfig, objects, (object) => this.#created.push(object));
  }

  async crash(node: string): Promise<void> {
    this.#crashed.push(node);
    await runClusterCommand('crash', node, this.#home);
  }

  async powerOn(node: string): Promise<void> {
    await runClusterCommand('start', node, this.#home);
    this.#crashed.splice(this.#crashed.indexOf(node), 1);
  }

  /** Machines first: a pod on a machine without power can't be deleted in good order. */
  async end(): Promise<void> {
    for (const node of this.#crashed) {
      await this.#attempt(
        `power on ${node}`,
        async () => {
          await this.#withdrawTaints(node);
          await runClusterCommand('start', node, this.#home);
          await this.#until(async () => (await this.#readyStatus(node)) === 'True');
          this.#onNotice(`${node} was powered on again and is Ready`);
        },
        commandFor('start', node, this.#home),
      );
    }
    if (this.#created.length === 0) return;
    await this.#attempt('remove what the demo created', async () => {
      await deleteObjects(this.#kubeConfig, this.#created);
      await this.#until(async () => {
        const left = await Promise.all(this.#created.map((object) => exists(this.#kubeConfig, object)));
        return !left.includes(true);
      });
      this.#onNotice('all that the demo created was removed');
    });
  }

  /** A takeover that was interrupted leaves its taints, and nobody would ever take them away. */
  async #withdrawTaints(name: string): Promise<void> {
    const api = this.#kubeConfig.makeApiClient(CoreV1Api);
    const ours = ['liberator.dev/takeover', 'node.kubernetes.io/out-of-service'];
    try {
      const node = await api.readNode({ name });
      const taints = node.spec?.taints ?? [];
      const others = taints.filter(({ key }) => !ours.includes(key));
      if (others.length === taints.length) return;
      await api.replaceNode({ name, body: { ...node, spec: { ...node.spec, taints: others } } });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 404)) throw error;
    }
  }

  async #readyStatus(name: string): Promise<string | undefined> {
    try {
      const { status } = await this.#reader.get(nodes, { name });
      return status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #until(reached: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + movingOutMs;
    while (!(await reached())) {
      if (performance.now() > end)
        throw new DemoFailure(`it still was not so after ${movingOutMs / 1_000} s`);
      await pause(300);
    }
  }

  /** One thing that can't be taken back must not keep the others from being so. */
  async #attempt(what: string, act: () => Promise<void>, byHand?: string): Promise<void> {
    try {
      await act();
    } catch (error) {
      const advice = byHand === undefined ? '' : `; by hand: ${byHand}`;
      this.#onNotice(`could not ${what}: ${sentenceOf(error)}${advice}`);
    }
  }
}

/** The agents would take over every node that is down, and the demo is about one. */
async function readyNodes(reader: KubernetesReader, home: string): Promise<readonly string[]> {
  const { items } = await reader.list(nodes);
  const down = items.find(
    ({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True',
  );
  if (down !== undefined) {
    const { name } = down.metadata;
    throw new DemoFailure(
      `expected every node to be Ready, found that ${name} is not; power it on: ${commandFor('start', name, home)}`,
    );
  }
  if (items.length < 2) {
    throw new DemoFailure(`expected two nodes or more, found ${items.length}: there must be an elsewhere`);
  }
  return items.map(({ metadata }) => metadata.name).toSorted();
}

/** Whatever the cluster was started with beside Kubernetes' own defaults; the notes have `nodeMonitorPeriodMs: 1000`. */
function changedTimers(path: string): readonly string[] {
  const { timings = {} } = JSON.parse(readFileSync(path, 'utf8')) as { timings?: Record<string, number> };
  return Object.entries(timings).map(([name, ms]) => {
    const words = name.replace(/Ms$/, '').replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    return `${words}: ${ms / 1_000} s`;
  });
}

/** Somebody else's agents would take part in the demo, and be left without permissions after it. */
async function expectNoLeader(reader: KubernetesReader): Promise<void> {
  try {
    const { spec } = await reader.get(leases, { namespace: agentNamespace, name: 'liberator' });
    const { holderIdentity = '', renewTime = '', leaseDurationSeconds = 0 } = spec ?? {};
    const expiresAt = Date.parse(renewTime) + leaseDurationSeconds * 1_000;
    if (holderIdentity !== '' && expiresAt > Date.now()) {
      throw new DemoFailure(
        `expected no other agents in namespace ${agentNamespace}, found that ${holderIdentity} leads: stop them first`,
      );
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** A kubeconfig of the agents' service account, with a token as a pod would get it. */
async function accountKubeconfig(admin: KubeConfig): Promise<string> {
  const { status } = await admin.makeApiClient(CoreV1Api).createNamespacedServiceAccountToken({
    namespace: agentNamespace,
    name: agentAccount,
    body: { spec: { audiences: [], expirationSeconds: tokenSeconds } },
  });
  const cluster = admin.getCurrentCluster();
  const token = status?.token;
  if (cluster === null || token === undefined) {
    throw new DemoFailure(`the API server gave no token for ${agentNamespace}/${agentAccount}`);
  }
  const account = new KubeConfig();
  account.loadFromClusterAndUser(cluster, { name: agentAccount, token });
  return account.exportConfig();
}
