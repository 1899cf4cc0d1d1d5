// The algorithm that Liberator replaces, as small as it was: lists all nodes every five seconds, counts how often each was found
// not Ready, and deletes it when that was more than three times after the first. A process of its own, measured from outside.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';

const intervalMs = 5_000;
const threshold = 3;

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

/** As much of a kubeconfig as those of a bench have: one cluster, one user, everything inside. */
interface KubeConfigFile {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string };
  }[];
  readonly users: readonly {
    readonly user: {
      readonly token?: string;
      readonly 'client-certificate-data'?: string;
      readonly 'client-key-data'?: string;
    };
  }[];
}

const [path = ''] = process.argv.slice(2);
const { clusters, users } = parse(readFileSync(path, 'utf8')) as KubeConfigFile;
const { server = '', 'certificate-authority-data': ca = '' } = clusters[0]?.cluster ?? {};
const { token, 'client-certificate-data': cert, 'client-key-data': key } = users[0]?.user ?? {};
const decoded = (text: string): Buffer => Buffer.from(text, 'base64');
// As the client that it used: one connection that is kept, and no compression.
const agent = new Agent({
  keepAlive: true,
  maxSockets: 1,
  ca: decoded(ca),
  ...(cert !== undefined && { cert: decoded(cert) }),
  ...(key !== undefined && { key: decoded(key) }),
});
const headers = {
  accept: 'application/json',
  'user-agent': 'polling',
  ...(token !== undefined && { authorization: `Bearer ${token}` }),
};
const counts = new Map<string, number>();
let told = false;

process.once('SIGTERM', () => process.exit(0));
// Whoever started it is gone.
process.stdin.once('end', () => process.exit(0)).resume();
for (;;) {
  await look().catch((error: unknown) => tell('failed', { error: String(error) }));
  await new Promise((resolve) => setTimeout(resolve, intervalMs));
}

async function look(): Promise<void> {
  const { items } = JSON.parse(await ask('GET', '/api/v1/nodes')) as NodeList;
  if (!told) tell('ready');
  told = true;
  for (const { metadata, status } of items) {
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    if (ready === 'True') counts.delete(metadata.name);
    if (ready === undefined || ready === 'True') continue;
    const count = (counts.get(metadata.name) ?? -1) + 1;
    counts.set(metadata.name, count);
    if (count <= threshold) continue;
    counts.delete(metadata.name);
    await ask('DELETE', `/api/v1/nodes/${metadata.name}`);
    tell('deleted', { node: metadata.name });
  }
}

function tell(event: string, more: object = {}): void {
  console.log(JSON.stringify({ event, time: new Date().toISOString(), msg: event, ...more }));
}

function ask(method: string, where: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(server + where, { method, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if ((response.statusCode ?? 0) < 400) resolve(text);
        else reject(new Error(`${method} ${where}: ${response.statusCode} ${text.slice(0, 200)}`));
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}
