// What the agent counts and measures, for Prometheus. No label has a value per node, so nothing grows with the cluster.
import type {
  Controller,
  ControllerError,
  DecisionChange,
  LeadershipChange,
  NodeProbe,
  TakeoverProgress,
  TroubleChange,
} from '@liberator/core';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

type Watched = Pick<
  Controller,
  | 'on'
  | 'leading'
  | 'ready'
  | 'fleet'
  | 'blind'
  | 'takeoversUnderWay'
  | 'takeoversVerifying'
  | 'recordsSetAside'
  | 'checkableFencers'
  | 'fencersNotReady'
>;

const stepBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600];
const takeoverBuckets = [1, 2.5, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1_800, 3_600];

/** `unselected`: no policy speaks for the node, so nobody asks how it is. */
const healthStates = ['alive', 'suspect', 'dead', 'returning', 'unselected'] as const;

/** One registry for one agent: nothing is shared through the module, so several can live in one process. */
export class Metrics {
  readonly registry: Registry = new Registry();
  readonly #probes: Counter<'result'>;

  /** @param mode is a label of everything, unless it is the usual one. */
  constructor(version: string, mode: 'act' | 'observe' = 'act') {
    if (mode === 'observe') this.registry.setDefaultLabels({ mode });
    const registers = [this.registry];
    // Ten times a second, not a hundred: the wakes of its timer are most of what an idle replica does.
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 100 });
    new Gauge({
      registers,
      name: 'liberator_build_info',
      help: 'Always 1; the label carries the version of the agent.',
      labelNames: ['version'],
    }).set({ version }, 1);
    this.#probes = new Counter({
      registers,
      name: 'liberator_probes_total',
      help: 'Probes of suspect or dead hosts by what they found: answered, mute, refused, silent or failed.',
      labelNames: ['result'],
    });
  }

  /** The same probe, counted. A host that accepts is `mute` where no more was asked, and no kubelet that hangs. */
  countProbes(probe: NodeProbe): NodeProbe {
    return async (node, signal, depth) => {
      const result = await probe(node, signal, depth);
      if (depth?.until !== 'host' || result !== 'mute') this.#probes.inc({ result });
      return result;
    };
  }

  watch(controller: Watched): void {
    this.#gaugeReplica(controller);
    this.#gaugeFleet(controller);
    this.#countDecisions(controller);
    this.#countTakeovers(controller);
    this.#countTrouble(controller);
    this.#countChecks(controller);
  }

  #gaugeReplica(controller: Watched): void {
    const registers = [this.registry];
    new Gauge({
      registers,
      name: 'liberator_ready',
      help: '1 once every cache of this replica is filled, so that it could lead; else 0.',
      collect() {
        this.set(controller.ready ? 1 : 0);
      },
    });
    new Gauge({
      registers,
      name: 'liberator_leader',
      help: '1 while this replica leads; else 0. The sum over all replicas should be 1.',
      collect() {
        this.set(controller.leading === undefined ? 0 : 1);
      },
    });
    new Gauge({
      registers,
      name: 'liberator_leader_epoch',
      help: 'The epoch in which this replica leads; -1 while it does not.',
      collect() {
        this.set(controller.leading?.epoch ?? -1);
      },
    });
    const transitions = new Counter({
      registers,
      name: 'liberator_leader_transitions_total',
      help: 'Changes of leader that this replica has seen, the first leader included.',
    });
    controller.on('leadership', ({ leader }: LeadershipChange) => {
      if (leader !== '') transitions.inc();
    });
  }

  #gaugeFleet(controller: Watched): void {
    const registers = [this.registry];
    new Gauge({
      registers,
      name: 'liberator_nodes',
      help: 'Nodes by health: alive, suspect, dead, returning, or unselected when no policy speaks for them.',
      labelNames: ['health'],
      collect() {
        for (const health of healthStates) this.set({ health }, 0);
        for (const { assessment, health } of controller.fleet.nodes.values()) {
          this.inc({ health: assessment === undefined ? 'unselected' : health });
        }
      },
    });
    new Gauge({
      registers,
      name: 'liberator_blind',
      help: '1 while this replica can not trust what it sees and so decides nothing; else 0.',
      collect() {
        this.set(controller.blind.length === 0 ? 0 : 1);
      },
    });
    new Gauge({
      registers,
      name: 'liberator_blind_reason',
      help: '1 for each reason why this replica is blind; its numbers are written as #.',
      labelNames: ['reason'],
      collect() {
        this.reset();
        for (const reason of controller.blind) this.set({ reason: reason.replaceAll(/\d+/g, '#') }, 1);
      },
    });
  }

  #countDecisions(controller: Watched): void {
    const registers = [this.registry];
    const newest = new Map<string, DecisionChange>();
    new Gauge({
      registers,
      name: 'liberator_held_nodes',
      help: 'Dead nodes that the leader does not take over, by the guard that holds them.',
      labelNames: ['guard'],
      collect() {
        this.reset();
        if (controller.leading === undefined) newest.clear();
        const { nodes } = controller.fleet;
        for (const [name, change] of newest) {
          const node = nodes.get(name);
          const current = node?.assessment?.health === 'dead' && node.node.metadata.uid === change.uid;
          if (!current) newest.delete(name);
          else for (const guard of holdingGuards(change)) this.inc({ guard });
        }
      },
    });
    const decisions = new Counter({
      registers,
      name: 'liberator_decisions_total',
      help: 'Decisions about dead nodes, counted when they change: act or hold.',
      labelNames: ['action'],
    });
    const holds = new Counter({
      registers,
      name: 'liberator_holds_total',
      help: 'Decisions to hold, by each guard that held; counted when the decision changes.',
      labelNames: ['guard'],
    });
    for (const action of ['act', 'hold']) decisions.inc({ action }, 0);
    controller.on('decision', (change) => {
      newest.set(change.node, change);
      decisions.inc({ action: change.decision.action });
      for (const guard of holdingGuards(change)) holds.inc({ guard });
    });
  }

  #countTakeovers(controller: Watched): void {
    const registers = [this.registry];
    new Gauge({
      registers,
      name: 'liberator_takeovers_running',
      help: 'Takeovers that this replica is working on, until their Node is removed or kept.',
      collect() {
        this.set(controller.takeoversUnderWay.length);
      },
    });
    new Gauge({
      registers,
      name: 'liberator_takeovers_verifying',
      help: 'Takeovers whose Node is removed or kept, while pods are still waited for.',
      collect() {
        this.set(controller.takeoversVerifying.length);
      },
    });
    new Gauge({
      registers,
      name: 'liberator_records_set_aside',
      help: 'Records of takeovers that the leader can not use: damaged, or written by a newer version.',
      labelNames: ['kind'],
      collect() {
        for (const kind of ['damaged', 'newer'] as const) {
          this.set({ kind }, controller.recordsSetAside.filter((one) => one.kind === kind).length);
        }
      },
    });
    const takeovers = new Counter({
      registers,
      name: 'liberator_takeovers_total',
      help: 'Takeovers that this replica brought to their end, by result: recovered, incomplete, undone or overtaken.',
      labelNames: ['result'],
    });
    for (const result of ['recovered', 'incomplete', 'undone', 'overtaken']) takeovers.inc({ result }, 0);
    const durations = new Histogram({
      registers,
      name: 'liberator_takeover_duration_seconds',
      help: 'From the opening of a takeover to its end, by result.',
      labelNames: ['result'],
      buckets: takeoverBuckets,
    });
    const stepDurations = new Histogram({
      registers,
      name: 'liberator_takeover_step_duration_seconds',
      help: 'From the start of a takeover step to its end, waiting included.',
      labelNames: ['step'],
      buckets: stepBuckets,
    });
    const retries = new Counter({
      registers,
      name: 'liberator_takeover_retries_total',
      help: 'Attempts in a takeover step that failed and were tried again.',
      labelNames: ['step'],
    });
    const observed = new Counter({
      registers,
      name: 'liberator_observed_takeovers_total',
      help: 'Takeovers that would have been begun, by a replica that only observes.',
    });
    controller.on('observed', () => observed.inc());
    controller.on('takeover', ({ record, step, phase }: TakeoverProgress) => {
      if (phase === 'retrying') retries.inc({ step });
      const { result, openedAt, closedAt } = record;
      if (step === 'close' && phase === 'done' && result !== undefined) {
        takeovers.inc({ result });
        observe(durations, { result }, openedAt, closedAt);
      }
      const done = Object.entries(record.steps).find(([name]) => name === step)?.[1];
      if (phase === 'done' && done !== undefined) {
        observe(stepDurations, { step }, done.startedAt, done.endedAt);
      }
    });
  }

  #countChecks(controller: Watched): void {
    const registers = [this.registry];
    const checks = new Counter({
      registers,
      name: 'liberator_fence_checks_total',
      help: 'Answers of fencers that were asked whether they could fence a node: ready, not-ready or no-device.',
      labelNames: ['fencer', 'outcome'],
    });
    const succeeded = new Gauge({
      registers,
      name: 'liberator_fence_check_last_success_timestamp_seconds',
      help: 'When this replica last heard of the fencer that it could fence some node; 0: not since it started.',
      labelNames: ['fencer'],
    });
    new Gauge({
      registers,
      name: 'liberator_fence_check_failing_nodes',
      help: 'Nodes that the fencer could not fence, by what it said when the leader last asked.',
      labelNames: ['fencer'],
      collect() {
        this.reset();
        for (const fencer of controller.checkableFencers) {
          this.set({ fencer }, controller.fencersNotReady.get(fencer) ?? 0);
        }
      },
    });
    for (const fencer of controller.checkableFencers) {
      succeeded.set({ fencer }, 0);
      for (const outcome of ['ready', 'not-ready'] as const) checks.inc({ fencer, outcome }, 0);
    }
    controller.on('fenceCheck', ({ fencer, check }) => {
      checks.inc({ fencer, outcome: check.outcome });
      if (check.outcome === 'ready') succeeded.setToCurrentTime({ fencer });
    });
  }

  #countTrouble(controller: Watched): void {
    const failing = new Map<string, TroubleChange>();
    new Gauge({
      registers: [this.registry],
      name: 'liberator_failing_nodes',
      help: 'Nodes about which the leader fails again and again, by what it tries: claim, a step, undo, close or return.',
      labelNames: ['act'],
      collect() {
        this.reset();
        if (controller.leading === undefined) failing.clear();
        for (const { act } of failing.values()) this.inc({ act });
      },
    });
    controller.on('trouble', (change) => {
      if (change.over) failing.delete(change.node);
      else failing.set(change.node, change);
    });
    const omitted = new Counter({
      registers: [this.registry],
      name: 'liberator_events_omitted_total',
      help: 'Kubernetes Events that were not published: node-limit, full or failed.',
      labelNames: ['cause'],
    });
    for (const cause of ['node-limit', 'full', 'failed']) omitted.inc({ cause }, 0);
    controller.on('omitted', ({ causes }) => {
      for (const [cause, count] of Object.entries(causes)) omitted.inc({ cause }, count);
    });
    const errors = new Counter({
      registers: [this.registry],
      name: 'liberator_errors_total',
      help: 'What failed and is tried again, by where: election, watch nodes, takeover, events and so on.',
      labelNames: ['where'],
    });
    controller.on('error', ({ where }: ControllerError) => {
      // "takeover of node-1" has a value per node.
      errors.inc({ where: where.replace(/ of .*/, '') });
    });
  }
}

function holdingGuards({ decision }: DecisionChange): readonly string[] {
  return decision.verdicts.flatMap(({ guard, verdict }) => (verdict.outcome === 'hold' ? [guard] : []));
}

/** Times in a record are wall-clock times of whoever led then: two leaders' clocks may differ, never below zero. */
function observe<Label extends string>(
  histogram: Histogram<Label>,
  labels: Partial<Record<Label, string>>,
  from: string | undefined,
  to: string | undefined,
): void {
  if (from === undefined || to === undefined) return;
  const seconds = (Date.parse(to) - Date.parse(from)) / 1_000;
  if (Number.isFinite(seconds)) histogram.observe(labels, Math.max(0, seconds));
}
