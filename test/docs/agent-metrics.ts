// Every metric that the agent, the election sidecar and the watchdog guard serve, as their registries know them.
import { ElectionMetrics } from '../../packages/agent/src/elect/election-metrics.ts';
import { GuardMetrics } from '../../packages/agent/src/guard/guard-metrics.ts';
import { Metrics } from '../../packages/agent/src/metrics/metrics.ts';
import { puppetController } from '../../packages/agent/src/testing/puppet-controller.ts';

export interface Metric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
}

/** Those of `liberator run`, without the usual ones about a process. */
export async function metricsOfAgent(): Promise<readonly Metric[]> {
  const agent = new Metrics('1.2.3');
  agent.watch(puppetController());
  return ownMetrics(agent.registry);
}

/** Those of `liberator elect`. */
export async function metricsOfCandidate(): Promise<readonly Metric[]> {
  const candidate = new ElectionMetrics({
    election: 'default/example',
    version: '1.2.3',
    look: () => ({ name: '', isLeader: false, term: undefined, since: 0 }),
    readers: () => 0,
  });
  return ownMetrics(candidate.registry);
}

/** Those of `liberator guard`. */
export async function metricsOfGuard(): Promise<readonly Metric[]> {
  const settings = { timeoutMs: 1, identity: '', canDisarm: true };
  const guard = { state: undefined, remainingMs: 0, settings };
  return ownMetrics(new GuardMetrics({ node: 'node-1', version: '1.2.3', guard }).registry);
}

async function ownMetrics(registry: Metrics['registry']): Promise<readonly Metric[]> {
  const registered = await registry.getMetricsAsJSON();
  return registered
    .filter(({ name }) => name.startsWith('liberator_'))
    .map(({ name, type }) => {
      // The registry's own types leave the labels out.
      const metric = registry.getSingleMetric(name) as unknown as { readonly labelNames: readonly string[] };
      return { name, type: String(type), labels: metric.labelNames };
    });
}
