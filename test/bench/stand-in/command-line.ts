// The words after `stand-in/main.ts`, read and checked.
import { parseArgs } from 'node:util';
import { UsageError } from '../../processes/command-line.ts';

export const standInUsage = `usage: node --conditions=@liberator/source test/bench/stand-in/main.ts [options]

An API server for measuring clients: it serves Nodes and their heartbeats for next to nothing, and takes guarded writes.

  --nodes N          how many nodes, default 100
  --pods N           StatefulSet pods with a volume on each, default 1
  --renew-every MS   how often a kubelet renews its Lease, default 10000
  --status-every MS  how often it posts its status, default 300000
  --port N           of the API server, default 0: any free one
  --desk-port N      of the page that tells figures and kills nodes, default 0: any free one
  --kubeconfig FILE  where to write one, default: in a temporary folder, told with the first line of output

The first line of output is one JSON object: url, desk, kubeconfig, namespace, nodes, pid.`;

export interface StandInOptions {
  readonly nodes: number;
  /** On each node. */
  readonly pods: number;
  readonly renewEveryMs: number;
  readonly statusEveryMs: number;
  readonly port: number;
  readonly deskPort: number;
  /** Where the kubeconfig goes; absent: somewhere temporary. */
  readonly kubeconfig?: string;
}

/** Undefined when only the usage is asked for. @throws UsageError */
export function readStandInOptions(args: readonly string[]): StandInOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string', default: '100' },
      pods: { type: 'string', default: '1' },
      'renew-every': { type: 'string', default: '10000' },
      'status-every': { type: 'string', default: '300000' },
      port: { type: 'string', default: '0' },
      'desk-port': { type: 'string', default: '0' },
      kubeconfig: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    nodes: between('nodes', values.nodes, 1, 60_000),
    pods: between('pods', values.pods, 0, 50),
    renewEveryMs: between('renew-every', values['renew-every'], 100, 3_600_000),
    statusEveryMs: between('status-every', values['status-every'], 1_000, 86_400_000),
    port: between('port', values.port, 0, 65_535),
    deskPort: between('desk-port', values['desk-port'], 0, 65_535),
    ...(values.kubeconfig !== undefined && { kubeconfig: values.kubeconfig }),
  };
}

/** @throws UsageError for anything but a whole number within the bounds */
function between(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`--${option}: expected a whole number from ${least} to ${most}, found "${text}"`);
}
