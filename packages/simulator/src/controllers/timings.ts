// How long things take, in one place: Kubernetes' own defaults, each of which a test may shorten.

/** Durations of the simulated Kubernetes, all in milliseconds. */
export interface Timings {
  /** Kubelet: between two renewals of its Lease, plus up to 4 %. Default 10 s. */
  readonly leaseRenewMs: number;
  /** Kubelet: what its Lease promises, rounded to whole seconds, at least one. Default 40 s. */
  readonly leaseDurationMs: number;
  /** Kubelet: from Ready to the first Lease, as seen on real ones. Default 3 s. */
  readonly firstLeaseMs: number;
  /** Kubelet: how often it compares the status of its Node with what it should be. Default 10 s. */
  readonly nodeStatusUpdateMs: number;
  /** Kubelet: how often it writes that status though nothing changed. Default 5 min. */
  readonly nodeStatusReportMs: number;
  /** Kubelet: from its start to Ready, give or take half. Default 2 s. */
  readonly nodeReadyMs: number;
  /** Kubelet: from having all volumes to running containers, give or take a fifth: the image pull. Default 1 s. */
  readonly podStartMs: number;
  /** Kubelet: how long containers take to stop when asked to, unless their grace ends earlier. Default 0.5 s. */
  readonly podStopMs: number;
  /** Kubelet: from the end of a partition to its first request, give or take half. Default 2 s. */
  readonly reconnectMs: number;
  /** Machine: from power on to the start of the kubelet. Default 15 s. */
  readonly bootMs: number;
  /** Node lifecycle: how often it looks at all nodes. Default 5 s. */
  readonly nodeMonitorMs: number;
  /** Node lifecycle: silence after which Ready turns Unknown. Default 50 s (40 s before Kubernetes 1.32). */
  readonly nodeMonitorGracePeriodMs: number;
  /** Node lifecycle: the same for a node whose kubelet never wrote a status. Default 60 s. */
  readonly nodeStartupGracePeriodMs: number;
  /** Node lifecycle: between the NoExecute taints of two nodes in the same zone. Default 10 s. */
  readonly nodeEvictionMs: number;
  /** Admission: how long pods tolerate `not-ready` and `unreachable`, in whole seconds, at least one. Default 300 s. */
  readonly defaultTolerationMs: number;
  /** Pod garbage collector: its period. Default 20 s. */
  readonly podGcMs: number;
  /** Pod garbage collector: how long a Node must be missing before its pods go. Default 40 s. */
  readonly podGcQuarantineMs: number;
  /** Attach-detach: how long a volume in use by a node that doesn't answer stays attached. Default 6 min. */
  readonly forceDetachMs: number;
  /** Storage: to attach a volume. Default 0.5 s. */
  readonly attachMs: number;
  /** Storage: to detach a volume. Default 0.5 s. */
  readonly detachMs: number;
  /** Storage: to provision a volume. Default 0.5 s. */
  readonly provisionMs: number;
  /** Scheduler: wait before trying an unschedulable pod again, doubled each time. Default 1 s. */
  readonly schedulerBackoffMs: number;
  /** Scheduler: the longest such wait. Default 10 s. */
  readonly schedulerMaxBackoffMs: number;
  /** Every controller: from a change to its reaction. Default 20 ms. */
  readonly reactionMs: number;
  /** Events are deleted after this. Default 1 h. */
  readonly eventTtlMs: number;
}

/** Stock Kubernetes; what isn't a setting there is as measured on hollow nodes. */
export const kubernetesTimings: Timings = {
  leaseRenewMs: 10_000,
  leaseDurationMs: 40_000,
  firstLeaseMs: 3_000,
  nodeStatusUpdateMs: 10_000,
  nodeStatusReportMs: 300_000,
  nodeReadyMs: 2_000,
  podStartMs: 1_000,
  podStopMs: 500,
  reconnectMs: 2_000,
  bootMs: 15_000,
  nodeMonitorMs: 5_000,
  nodeMonitorGracePeriodMs: 50_000,
  nodeStartupGracePeriodMs: 60_000,
  nodeEvictionMs: 10_000,
  defaultTolerationMs: 300_000,
  podGcMs: 20_000,
  podGcQuarantineMs: 40_000,
  forceDetachMs: 360_000,
  attachMs: 500,
  detachMs: 500,
  provisionMs: 500,
  schedulerBackoffMs: 1_000,
  schedulerMaxBackoffMs: 10_000,
  reactionMs: 20,
  eventTtlMs: 3_600_000,
};

/** What differs from stock Kubernetes. */
export interface TimingOptions extends Partial<Timings> {
  /**
   * Divides every duration that isn't given on its own. Default 1. Trade-off: Lease durations and tolerations are
   * whole seconds on the wire, so beyond a factor of 40 they stop shrinking while the rest goes on.
   */
  readonly speedUp?: number;
}

/**
 * Stock timings with the given differences.
 *
 * @throws RangeError when a duration is not a finite number above zero.
 */
export function timingsWith(options: TimingOptions = {}): Timings {
  const { speedUp = 1, ...own } = options;
  const names = Object.keys(kubernetesTimings) as (keyof Timings)[];
  const unknown = Object.keys(own).filter((name) => !(name in kubernetesTimings));
  if (unknown.length > 0) {
    throw new RangeError(
      `expected timings out of ${names.join(', ')}, found ${unknown.join(', ')}: check the spelling`,
    );
  }
  const entries = names.map((name): [keyof Timings, number] => [
    name,
    check(name, own[name] ?? kubernetesTimings[name] / check('speedUp', speedUp)),
  ]);
  return Object.fromEntries(entries) as unknown as Timings;
}

function check(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new RangeError(
    `expected ${name} to be a finite number above zero, found ${value}: use milliseconds, 1 or more`,
  );
}

/** Whole seconds, at least one: what the wire has where this file has milliseconds. */
export function wholeSeconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1_000));
}
