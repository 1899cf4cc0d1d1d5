// The stand-in as a program: one API server for measuring clients, in a process of its own. Ends with SIGTERM, SIGINT, or when
// whoever started it as a child is gone.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '../../../packages/core/src/testing/certificates.ts';
import { runCommand } from '../../processes/command-line.ts';
import { agentNamespace, StandInCluster } from './cluster.ts';
import { readStandInOptions, type StandInOptions, standInUsage } from './command-line.ts';
import { startDesk } from './desk.ts';
import { Hosts } from './hosts.ts';
import { startStandInServer } from './server.ts';
import { Tally } from './tally.ts';

/** The first line of output. */
export interface StandInAddress {
  readonly url: string;
  readonly desk: string;
  /** Path of a file. */
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly nodes: number;
  readonly pid: number;
}

await runCommand(standInUsage, async () => {
  const options = readStandInOptions(process.argv.slice(2));
  if (options === undefined) {
    console.log(standInUsage);
    return 0;
  }
  await standIn(options);
  return 0;
});

async function standIn(options: StandInOptions): Promise<void> {
  const authority = createAuthority('stand-in');
  const identity = authority.issue('kube-apiserver');
  const token = crypto.randomUUID();
  await using hosts = await Hosts.open(identity);
  const cluster = new StandInCluster({ ...options, kubeletPort: hosts.port });
  const tally = new Tally();
  const server = await startStandInServer({ cluster, tally, identity, token, port: options.port });
  const desk = await startDesk({ cluster, hosts, tally, port: options.deskPort });
  const folder = mkdtempSync(join(tmpdir(), 'liberator-stand-in-'));
  const kubeconfig = options.kubeconfig ?? join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigText(server.url, authority.cert, token), { mode: 0o600 });
  cluster.start();
  const { pid } = process;
  const { nodes } = options;
  const address: StandInAddress = {
    url: server.url,
    desk: desk.url,
    kubeconfig,
    namespace: agentNamespace,
    nodes,
    pid,
  };
  console.log(JSON.stringify(address));
  await untilToldToEnd();
  cluster.stop();
  server.close();
  desk.close();
  rmSync(folder, { recursive: true, force: true });
}

/** A pipe as standard input that ends is a parent that has gone, whatever killed it. */
function untilToldToEnd(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
    if (process.env['LIBERATOR_ENDS_WITH_PARENT'] === undefined) return;
    process.stdin.once('end', resolve).once('error', resolve).resume();
  });
}

function kubeconfigText(server: string, certificate: string, token: string): string {
  const name = 'stand-in';
  const ca = Buffer.from(certificate).toString('base64');
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name, cluster: { server, 'certificate-authority-data': ca } }],
      users: [{ name, user: { token } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    },
    null,
    2,
  )}\n`;
}
