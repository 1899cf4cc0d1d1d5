// The timings a cluster may be given; whatever is not given stays Kubernetes' own default, because no flag is passed.
import { ClusterError } from './cluster-error.ts';

/** Each in milliseconds. Shorter ones let the same story play faster, in tests that aren't about timing. */
export interface ClusterTimings {
  /** How often the controller manager looks at the nodes. Default 5 s. */
  nodeMonitorPeriodMs?: number;
  /** How long a node may be silent before Ready turns Unknown. Default 50 s (40 s before Kubernetes 1.32). */
  nodeMonitorGracePeriodMs?: number;
  /** The same for a node that has only just registered. Default 60 s. */
  nodeStartupGracePeriodMs?: number;
  /** How long a pod that says nothing itself stays on a node that is unreachable. Whole seconds. Default 300 s. */
  unreachableTolerationMs?: number;
  /** How long a pod that says nothing itself stays on a node that is not ready. Whole seconds. Default 300 s. */
  notReadyTolerationMs?: number;
  /** Duration of a node's Lease, which is renewed after a quarter of it. Whole seconds. Default 40 s. */
  nodeLeaseDurationMs?: number;
  /** How often a kubelet computes its node's status. Default 10 s. */
  nodeStatusUpdatePeriodMs?: number;
}

/** One line per timing: the option's name on the command line, the program that takes it, and how it is told. */
export interface TimingOption {
  readonly key: keyof ClusterTimings;
  readonly option: string;
  /** For the help text, with Kubernetes' default. */
  readonly description: string;
  readonly program: 'kube-apiserver' | 'kube-controller-manager' | 'hollow-kubelet';
  readonly flag: string;
  readonly unit: 'duration' | 'seconds';
  readonly leastMs: number;
}

export const TIMING_OPTIONS: readonly TimingOption[] = [
  {
    key: 'nodeMonitorPeriodMs',
    option: 'node-monitor-period',
    description: 'how often nodes are looked at (5s)',
    program: 'kube-controller-manager',
    flag: 'node-monitor-period',
    unit: 'duration',
    leastMs: 1,
  },
  {
    key: 'nodeMonitorGracePeriodMs',
    option: 'node-monitor-grace-period',
    description: 'silence until Ready is Unknown (50s)',
    program: 'kube-controller-manager',
    flag: 'node-monitor-grace-period',
    unit: 'duration',
    leastMs: 1,
  },
  {
    key: 'nodeStartupGracePeriodMs',
    option: 'node-startup-grace-period',
    description: 'the same for a new node (60s)',
    program: 'kube-controller-manager',
    flag: 'node-startup-grace-period',
    unit: 'duration',
    leastMs: 1,
  },
  {
    key: 'unreachableTolerationMs',
    option: 'unreachable-toleration',
    description: 'how long pods stay on an unreachable node (300s)',
    program: 'kube-apiserver',
    flag: 'default-unreachable-toleration-seconds',
    unit: 'seconds',
    leastMs: 0,
  },
  {
    key: 'notReadyTolerationMs',
    option: 'not-ready-toleration',
    description: 'how long pods stay on a node not ready (300s)',
    program: 'kube-apiserver',
    flag: 'default-not-ready-toleration-seconds',
    unit: 'seconds',
    leastMs: 0,
  },
  {
    key: 'nodeLeaseDurationMs',
    option: 'node-lease-duration',
    description: 'Lease of a node, renewed after a quarter of it (40s)',
    program: 'hollow-kubelet',
    flag: 'node-lease-duration-seconds',
    unit: 'seconds',
    leastMs: 1000,
  },
  {
    key: 'nodeStatusUpdatePeriodMs',
    option: 'node-status-update-period',
    description: 'how often a kubelet computes its status (10s)',
    program: 'hollow-kubelet',
    flag: 'node-status-update-frequency',
    unit: 'duration',
    leastMs: 1,
  },
];

/** The flags that tell one program its timings. */
export function timingFlags(program: TimingOption['program'], timings: ClusterTimings): string[] {
  return TIMING_OPTIONS.filter((option) => option.program === program).flatMap((option) => {
    const valueMs = timings[option.key];
    if (valueMs === undefined) {
      return [];
    }
    checkTiming(option, valueMs);
    return [`--${option.flag}=${option.unit === 'seconds' ? `${valueMs / 1000}` : `${valueMs}ms`}`];
  });
}

/** Refuses what Kubernetes would refuse, or round, only after a minute of starting up. */
export function checkTimings(timings: ClusterTimings): void {
  for (const option of TIMING_OPTIONS) {
    const valueMs = timings[option.key];
    if (valueMs !== undefined) {
      checkTiming(option, valueMs);
    }
  }
  const { nodeMonitorPeriodMs = 5_000, nodeMonitorGracePeriodMs = 50_000 } = timings;
  if (nodeMonitorGracePeriodMs <= nodeMonitorPeriodMs) {
    throw new ClusterError(
      'wrong-argument',
      `The node monitor grace period (${nodeMonitorGracePeriodMs} ms) must be longer than the node monitor period (${nodeMonitorPeriodMs} ms).`,
    );
  }
}

function checkTiming(option: TimingOption, valueMs: number): void {
  const stepMs = option.unit === 'seconds' ? 1000 : 1;
  if (!Number.isFinite(valueMs) || valueMs < option.leastMs || valueMs % stepMs !== 0) {
    const expected = `${option.unit === 'seconds' ? 'whole seconds' : 'whole milliseconds'}, ${option.leastMs} ms or more`;
    throw new ClusterError(
      'wrong-argument',
      `--${option.option}: expected ${expected}; found ${valueMs} ms.`,
    );
  }
}

const DURATION = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Reads "20s", "1m30s", "500ms" or "1h"; the answer is in milliseconds. */
export function parseDuration(text: string): number {
  const match = DURATION.exec(text);
  if (text === '' || match === null) {
    throw new ClusterError(
      'wrong-argument',
      `Expected a duration such as 20s, 1m30s or 500ms; found "${text}".`,
    );
  }
  const [hours = 0, minutes = 0, seconds = 0, milliseconds = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds;
}
