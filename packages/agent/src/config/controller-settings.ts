// From the configuration to what core's Controller takes.
import type {
  ControllerOptions,
  Detection,
  FencingRules,
  LabelRequirement,
  NodeSelector,
  Policy,
  Rung,
} from '@liberator/core';
import { observersElection } from '@liberator/core';
import type { Config, DetectionConfig, PolicyConfig } from './config.ts';

type Settings = Pick<
  ControllerOptions,
  'mode' | 'election' | 'identity' | 'policies' | 'probeIntervalMs' | 'sight' | 'returning' | 'drill'
>;

export function controllerSettings(config: Config): Settings {
  const { mode, namespace, identity, election } = config;
  // Those who only observe must not take the Lease of those who act.
  const own = mode === 'observe' ? observersElection(election) : election;
  return {
    mode,
    identity,
    election: {
      namespace,
      name: own.name,
      leaseDurationMs: election.leaseDuration,
      renewDeadlineMs: election.renewDeadline,
      retryPeriodMs: election.retryPeriod,
    },
    policies: config.policies.map(policyOf),
    probeIntervalMs: config.probe.interval,
    sight: { heartbeatIntervalMs: config.heartbeatInterval },
    drill: drillOf(config.drill),
    returning: {
      dwellMs: config.returning.dwell,
      restore: config.returning.restore,
      restoredTaints: config.returning.restoredTaints,
      keepsakeMs: config.returning.keepFor,
    },
  };
}

function drillOf({ enabled, every, concurrency, timeout }: Config['drill']): NonNullable<Settings['drill']> {
  if (!enabled) return false;
  return { everyMs: every, concurrency, ...(timeout !== undefined && { timeoutMs: timeout }) };
}

function policyOf(policy: PolicyConfig): Policy {
  const { window, ...budget } = policy.budget;
  return {
    ...policy,
    nodes: selectorOf(policy.nodes),
    detection: detectionOf(policy.detection),
    fencing: fencingOf(policy.fencing),
    budget: { ...budget, windowMs: window },
  };
}

function fencingOf(fencing: PolicyConfig['fencing']): FencingRules {
  const { ladder, drivers, proof, accept, giveUpAfter, afterwards, hungAfter, maxCheckAge } = fencing;
  const rungs = ladder?.map(
    ({ fencer, for: forMs }): Rung => ({ fencer, ...(forMs !== undefined && { forMs }) }),
  );
  return {
    ...(rungs === undefined ? { drivers: drivers ?? [] } : { ladder: rungs }),
    proof,
    ...(accept !== undefined && { accept }),
    ...(giveUpAfter !== undefined && { giveUpAfterMs: giveUpAfter }),
    ...(afterwards !== 'leave-off' && { afterwards }),
    ...(hungAfter !== undefined && { hungAfterMs: hungAfter }),
    ...(maxCheckAge !== undefined && { maxCheckAgeMs: maxCheckAge }),
  };
}

function selectorOf({ all, matchLabels, matchExpressions }: PolicyConfig['nodes']): NodeSelector {
  return {
    ...(all && { all }),
    ...(matchLabels && { matchLabels }),
    ...(matchExpressions && {
      matchExpressions: matchExpressions.map(
        ({ key, operator, values }): LabelRequirement => ({ key, operator, ...(values && { values }) }),
      ),
    }),
  };
}

function detectionOf(detection: DetectionConfig): Detection {
  if (detection.mode === 'poll') {
    return { mode: 'poll', intervalMs: detection.interval, threshold: detection.threshold };
  }
  return {
    mode: 'heartbeat',
    suspectAfterMs: detection.suspectAfter,
    deadAfterMs: detection.deadAfter,
    deadUnprobedAfterMs: detection.deadUnprobedAfter,
    silentProbes: detection.silentProbes,
  };
}
