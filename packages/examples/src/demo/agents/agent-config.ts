// The agents' configuration file, made for the cluster at hand.
import { agentNamespace, type Detection } from '../cluster/demo-cluster.ts';

/**
 * The text of the file. All timings are the agent's defaults.
 *
 * `proof: optional` lets a takeover go on although nothing made sure that the machine is off. The demo knows that it
 * is, because it cut the power itself; nobody else should write this without thought.
 */
export function agentConfig(identity: string, detection: Detection): string {
  const config = {
    namespace: agentNamespace,
    identity,
    http: { address: '127.0.0.1', port: 0 },
    log: { level: 'info', format: 'json' },
    probe: { enabled: detection.probes },
    policies: [
      {
        name: 'demo',
        nodes: { all: true },
        evidence: detection.probes ? 'unreachable' : 'suspected',
        fencing: { drivers: ['none'], proof: 'optional' },
      },
    ],
  };
  // JSON is YAML, too.
  return `${JSON.stringify(config, null, 2)}\n`;
}
