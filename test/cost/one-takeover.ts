// One takeover of a node with StatefulSet pods and their volumes, by a real controller, in virtual time, with every request counted.
import {
  Controller,
  connect,
  defaultHeartbeatDetection,
  manualFencer,
  noneFencer,
  type Pod,
  type Policy,
  readTakeoverRecords,
  type TakeoverRecord,
} from '@liberator/core';
import { resources, Simulator, seededRandom, VirtualClock } from '@liberator/simulator';
import { type Count, CountingTransport } from './counting-transport.ts';

export interface TakeoverCost {
  /** Everything but watches and the election, which cost the same whether anything dies or not. */
  readonly requests: readonly Count[];
  readonly record: TakeoverRecord;
  /** Milliseconds of the leader's clock from the claim to the end, by what a step waited for or did. */
  readonly durationMs: number;
}

export interface CostlyStory {
  readonly fencer: 'none' | 'manual';
  readonly node: Policy['node'];
  readonly pods: number;
  /**
   * `waited-for`: as Kubernetes does it, pods stay Terminating until they are deleted by force, and volumes take half a second to
   * detach. `at-once`: pods and volumes are gone as soon as the node is marked, and replacements Ready, so that nothing is waited for.
   */
  readonly lettingGo: 'waited-for' | 'at-once';
  /** With `manual`: how long the human takes. */
  readonly confirmedAfterMs?: number;
}

const election = { namespace: 'default', name: 'liberator' };
const administrator = { user: 'administrator' } as const;
const agent = 'agent';
const dead = 'node-1';

export async function costOfTakeover(story: CostlyStory): Promise<TakeoverCost> {
  const clock = new VirtualClock();
  const atOnce = story.lettingGo === 'at-once';
  await using simulator = await Simulator.start({
    clock,
    random: seededRandom('cost'),
    nodes: 4,
    ...(atOnce && { timings: promptly }),
  });
  await build(simulator, story.pods);
  const transport = new CountingTransport(simulator.transport({ user: agent }));
  const leaseTransport = simulator.transport({ user: agent });
  const connection = connect({
    transport,
    leaseTransport,
    namespace: 'default',
    election,
    identity: 'agent-1',
    clock,
    random: seededRandom('agent'),
  });
  const controller = new Controller({
    ...connection,
    election,
    identity: 'agent-1',
    clock,
    random: seededRandom('controller'),
    policies: [policyOf(story)],
    fencers: [noneFencer, manualFencer],
    probe: simulator.probe(),
  });
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  let openedAt: number | undefined;

  let closedAt: number | undefined;
  controller.on('takeover', ({ step, phase }) => {
    openedAt ??= clock.now();
    if (step === 'close' && phase === 'done') closedAt = clock.now();
  });
  await clock.advance(60_000);
  transport.reset();
  simulator.machine(dead).crash();
  if (atOnce) collectAtOnce(simulator, clock);
  if (story.fencer === 'manual') void confirm(simulator, clock, story.confirmedAfterMs ?? 0);
  for (let waitedMs = 0; closedAt === undefined && waitedMs < 600_000; waitedMs += 100)
    await clock.advance(100);
  // Events are told after what they tell of.
  await clock.advance(2_000);
  const requests = transport.counts.filter(({ verb }) => verb !== 'watch');
  const [record] = await readTakeoverRecords(connection.reader, 'default');
  stop.abort();
  await running;
  await transport.close();
  await leaseTransport.close();
  if (record === undefined || openedAt === undefined || closedAt === undefined)
    throw new Error('expected a takeover that came to its end, found none');
  return { requests, record, durationMs: closedAt - openedAt };
}

export function sumOf(requests: readonly Count[]): number {
  return requests.reduce((sum, { count }) => sum + count, 0);
}

/** For people. */
export function tableOf(requests: readonly Count[]): string {
  const lines = requests.map(
    ({ verb, resource, count }) => `${String(count).padStart(4)} ${verb} ${resource}`,
  );
  return [...lines, `${String(sumOf(requests)).padStart(4)} in all`].join('\n');
}

function policyOf({ fencer, node }: CostlyStory): Policy {
  return {
    name: 'all',
    nodes: { all: true },
    detection: defaultHeartbeatDetection,
    controlPlane: false,
    evidence: 'unreachable',
    budget: { maxDead: 1, maxDeadPercent: 50 },
    fencing: { drivers: [fencer], proof: fencer === 'none' ? 'optional' : 'required' },
    node,
  };
}

/** A human looks for the record of the takeover, and vouches for the death on its Node. */
async function confirm(simulator: Simulator, clock: VirtualClock, afterMs: number): Promise<void> {
  const { store } = simulator;
  const said = (): boolean => {
    for (const { data } of store.list(resources.configmaps, { namespace: 'default' }) as unknown as readonly {
      data?: Record<string, string>;
    }[]) {
      const record: TakeoverRecord | undefined = data?.['record.json'] && JSON.parse(data['record.json']);
      if (record?.steps.fence === undefined) continue;
      clock.setTimeout(() => {
        store.modify<{ metadata: { annotations?: Record<string, string> } }>(
          resources.nodes,
          undefined,
          dead,
          (draft) => {
            draft.metadata.annotations = {
              ...draft.metadata.annotations,
              'liberator.dev/confirmed-dead': record.deathId,
            };
            return true;
          },
          administrator,
        );
      }, afterMs);
      return true;
    }
    return false;
  };
  const look = (): void => {
    if (!said()) clock.setTimeout(look, 20);
  };
  look();
}

const promptly = { detachMs: 1, attachMs: 1, podStartMs: 1, reactionMs: 1 };

/** Somebody deletes each pod by force as soon as it is Terminating. */
function collectAtOnce(simulator: Simulator, clock: VirtualClock): void {
  const { store } = simulator;
  const look = (): void => {
    const pods = store.list(resources.pods, {
      fieldSelector: `spec.nodeName=${dead}`,
    }) as unknown as readonly Pod[];
    for (const { metadata } of pods) {
      if (metadata.deletionTimestamp === undefined) continue;
      store.delete(
        resources.pods,
        metadata.namespace,
        metadata.name,
        { gracePeriodSeconds: 0 },
        administrator,
      );
    }
    clock.setTimeout(look, 5);
  };
  look();
}

/** One StatefulSet, all pods of which start on the node that will die. */
async function build(simulator: Simulator, pods: number): Promise<void> {
  const { store } = simulator;
  await simulator.until(() => simulator.nodesReady());
  const cordonOthers = (unschedulable: boolean): void => {
    for (const name of ['node-2', 'node-3', 'node-4']) {
      store.modify<{ spec?: object }>(
        resources.nodes,
        undefined,
        name,
        (draft) => {
          draft.spec = { ...draft.spec, unschedulable };
          return true;
        },
        administrator,
      );
    }
  };
  cordonOthers(true);
  const labels = { app: 'database' };
  store.create(
    resources.statefulsets,
    {
      metadata: { namespace: 'default', name: 'database' },
      spec: {
        replicas: pods,
        serviceName: 'database',
        podManagementPolicy: 'Parallel',
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'main', image: 'database:1', volumeMounts: [] }] },
        },
        volumeClaimTemplates: [
          {
            metadata: { name: 'data' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    },
    administrator,
  );
  await simulator.until(() => simulator.runningPods().length === pods);
  cordonOthers(false);
}
