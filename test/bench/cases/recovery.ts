// Crashes on a real control plane with stock settings: from the crash to a replacement that is Ready, by phase, with Liberator, with
// the polling that it replaces, and with nobody but Kubernetes.
import {
  createReader,
  createTransport,
  type KubernetesReader,
  loadKubeConfig,
  nodes,
  type Pod,
  pods,
} from '@liberator/core';
import { seededRandom } from '@liberator/simulator';
import { ControlPlane } from '../../control-plane/cluster.ts';
import type { Manifest } from '../../deploy/chart.ts';
import { create } from '../../e2e/installation.ts';
import type { AgentProcess } from '../../processes/agent-process.ts';
import { MeasuredAgent } from '../agent/agent.ts';
import { startPolling } from '../polling/polling.ts';
import { type Session, sleep, until } from '../session.ts';
import { between, timelinesOf } from './timeline.ts';

export const recoveryCases = ['default', 'polling', 'kubernetes'] as const;

type RecoveryCase = (typeof recoveryCases)[number];

export interface RecoveryOptions {
  readonly cases: readonly RecoveryCase[];
  readonly crashes: number;
  /** Decides the moments of the crashes. */
  readonly seed: number;
}

/** Crashes come this far apart on average, each at a random moment: Kubernetes' loops tick every 5 and every 20 s. */
const meanPauseMs = 15_000;
/** When nothing more is waited for after the last crash. */
const limitMs: Readonly<Record<RecoveryCase, number>> = {
  default: 120_000,
  polling: 300_000,
  kubernetes: 400_000,
};
/** Three times as many nodes as crashes: the dead are never so many that a zone counts as disrupted. */
const nodesPerCrash = 3;
const lookEveryMs = 200;
const settleLimitMs = 120_000;

interface Crash {
  readonly node: string;
  readonly pod: string;
  readonly uid: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Known to be dead, by whoever acts in this case. */
  deadAt?: number;
  /** The pod that was on it is gone. */
  freeAt?: number;
  readyAt?: number;
}

export async function recovery(session: Session, options: RecoveryOptions): Promise<void> {
  for (const name of options.cases) await play(session, name, options);
}

async function play(session: Session, name: RecoveryCase, { crashes, seed }: RecoveryOptions): Promise<void> {
  const { findings, signal } = session;
  session.say(`recovery: ${name}, ${crashes} crashes at moments of seed ${seed}`);
  await using cluster = await ControlPlane.start({ nodes: crashes * nodesPerCrash, signal });
  await using crew = new AsyncDisposableStack();
  const transport = createTransport(loadKubeConfig({ path: cluster.kubeconfigPath }));
  crew.defer(() => transport.close());
  const reader = createReader({ transport });
  await create(cluster, manifests(crashes));
  const homes = await untilAllReady(session, reader, crashes);
  const actor = crew.use(startActor(name, cluster.kubeconfigPath));
  // Every host has to be heard once, and Kubernetes' own start to be over.
  await sleep(60_000, signal);

  const random = seededRandom(seed);
  const deaths: Crash[] = [];
  const scene: Scene = { name, reader, deaths, signal };
  for (const home of homes) {
    await lookFor(scene, 2 * meanPauseMs * random.next());
    cluster.crash(home.node);
    deaths.push({ ...home, at: Date.now() });
  }
  await lookFor(scene, limitMs[name], () => deaths.every(({ readyAt }) => readyAt !== undefined));
  noteKnown(name, deaths, actor);
  const add = (figure: string, samples: readonly number[]): void =>
    findings.add({ case: name, figure, unit: 'ms' }, samples);
  add(
    'crashToDead',
    deaths.flatMap(({ at, deadAt }) => between(at, deadAt)),
  );
  add(
    'deadToFree',
    deaths.flatMap(({ deadAt, freeAt }) => between(deadAt, freeAt)),
  );
  add(
    'crashToReady',
    deaths.flatMap(({ at, readyAt }) => between(at, readyAt)),
  );
  const never = deaths.filter(({ readyAt }) => readyAt === undefined).length;
  findings.add({ case: name, figure: 'neverReady', unit: 'crashes' }, [never]);
}

interface Scene {
  readonly name: RecoveryCase;
  readonly reader: KubernetesReader;
  readonly deaths: readonly Crash[];
  readonly signal: AbortSignal;
}

/** Looks again and again for so long, or until all is over. */
async function lookFor(scene: Scene, forMs: number, isOver: () => boolean = () => false): Promise<void> {
  const end = performance.now() + forMs;
  while (performance.now() < end && !isOver()) {
    await look(scene);
    await sleep(Math.min(lookEveryMs, Math.max(0, end - performance.now())), scene.signal);
  }
}

async function look({ name, reader, deaths }: Scene): Promise<void> {
  if (deaths.length === 0) return;
  const present = await databasePods(reader);
  const now = Date.now();
  for (const death of deaths) {
    const pod = present.find(({ metadata }) => metadata.name === death.pod);
    if (pod?.metadata.uid === death.uid) continue;
    death.freeAt ??= now;
    if (isReady(pod)) death.readyAt ??= now;
  }
  // Nobody but the controller manager knows anything here.
  if (name !== 'kubernetes') return;
  const { items } = await reader.list(nodes);
  for (const death of deaths) {
    const status = items.find(({ metadata }) => metadata.name === death.node)?.status;
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    if (ready === 'Unknown') death.deadAt ??= now;
  }
}

async function databasePods(reader: KubernetesReader): Promise<readonly Pod[]> {
  return (await reader.list(pods, { namespace: 'default', labelSelector: 'app=database' })).items;
}

function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** Whoever recovers pods in this case; nobody where Kubernetes is on its own. */
function startActor(name: RecoveryCase, kubeconfig: string): AgentProcess | undefined {
  if (name === 'kubernetes') return undefined;
  if (name === 'polling') return startPolling(kubeconfig);
  return MeasuredAgent.start({ kubeconfig, identity: 'bench-1', config: { policies: [policy] } }).process;
}

/** Stock but for the budget: crashes here are trials of their own, not one outage. */
const policy = {
  name: 'all',
  nodes: { all: true },
  budget: { maxDead: 1_000, maxDeadPercent: 100 },
  fencing: { ladder: [{ fencer: 'none' }], proof: 'optional' },
};

/** When the program itself said that a node is dead: in its log. */
function noteKnown(name: RecoveryCase, deaths: readonly Crash[], actor: AgentProcess | undefined): void {
  if (actor === undefined) return;
  const timelines = timelinesOf(actor.entries);
  for (const death of deaths) {
    const known =
      name === 'polling'
        ? actor.entries.find(({ event, node }) => event === 'deleted' && node === death.node)?.time
        : timelines.find(({ node }) => node === death.node)?.deadAt;
    if (known !== undefined) death.deadAt = typeof known === 'string' ? Date.parse(known) : known;
  }
}

async function untilAllReady(
  session: Session,
  reader: KubernetesReader,
  count: number,
): Promise<readonly { readonly pod: string; readonly uid: string; readonly node: string }[]> {
  const homes = await until(
    async () => {
      const ready = (await databasePods(reader)).filter(isReady);
      if (ready.length < count) return undefined;
      return ready.map(({ metadata: { name: pod, uid }, spec }) => ({
        pod,
        uid,
        node: spec?.nodeName ?? '',
      }));
    },
    { limitMs: settleLimitMs, everyMs: 1_000, signal: session.signal },
  );
  if (homes === undefined) throw new Error(`expected ${count} database pods to become Ready`);
  return homes;
}

/** One StatefulSet, each pod of which is on a node of its own, with a volume that any node can have. */
function manifests(replicas: number): readonly Manifest[] {
  const storage = { storage: '1Gi' };
  const labels = { app: 'database' };
  const volumes = Array.from({ length: replicas }, (_, at) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: `disk-${at}` },
    spec: {
      capacity: storage,
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'standard',
      hostPath: { path: `/var/lib/disk-${at}` },
    },
  }));
  const apart = { labelSelector: { matchLabels: labels }, topologyKey: 'kubernetes.io/hostname' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'liberator' } },
    ...volumes,
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'database', namespace: 'default' },
      spec: {
        replicas,
        serviceName: 'database',
        podManagementPolicy: 'Parallel',
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } },
            containers: [
              {
                name: 'mysql',
                image: 'mysql:8.4',
                volumeMounts: [{ name: 'data', mountPath: '/var/lib/mysql' }],
              },
            ],
          },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: {
              accessModes: ['ReadWriteOnce'],
              storageClassName: 'standard',
              resources: { requests: storage },
            },
          },
        ],
      },
    },
  ];
}
