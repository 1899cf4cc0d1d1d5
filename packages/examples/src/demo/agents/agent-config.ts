// The agents' configuration file, made for the cluster at hand.
import { agentNamespace, type Detection } from '../cluster/demo-cluster.ts';
import { type ControllerAccess, fencerName } from '../cluster/management-controller.ts';

/**
 * The text of the file. All timings are the agent's defaults, and nothing is freed before the machine's management
 * controller has proven that it is off.
 */
export function agentConfig(identity: string, detection: Detection, access: ControllerAccess): string {
  const config = {
    namespace: agentNamespace,
    identity,
    http: { address: '127.0.0.1', port: 0 },
    log: { level: 'info', format: 'json' },
    probe: { enabled: detection.probes },
    fencers: { [fencerName]: { driver: 'redfish', ...access } },
    policies: [
      {
        name: 'demo',
        nodes: { all: true },
        evidence: detection.probes ? 'unreachable' : 'suspected',
        fencing: { ladder: [{ fencer: fencerName }], proof: 'required' },
      },
    ],
  };
  // JSON is YAML, too.
  return `${JSON.stringify(config, null, 2)}\n`;
}
