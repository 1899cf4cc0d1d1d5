// The example of the sidecar: its story from beginning to end, its script by itself, and its manifest.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { resources, Simulator } from '@liberator/simulator';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const folder = join(import.meta.dirname, '../../packages/examples/src/sidecar-election');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stdout: string;
  stderr: string;
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const ended = once(child, 'close').then(([code]: unknown[]) => code as number | null);
  const running: Run = { child, ended, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    running.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    running.stderr += text;
  });
  return running;
}

const example = (...args: readonly string[]): Run =>
  run(process.execPath, ['--conditions=@liberator/source', join(folder, 'main.ts'), ...args]);

async function until(reached: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 60_000; !reached(); await pause(20)) {
    if (performance.now() > deadline) expect.fail(`expected ${reached} in time`);
  }
}

// One after another: each is six processes that elect with a ttl of three seconds, and side by side they starve one another.
describe('the example', () => {
  it('has three pods hand on a piece of work, by itself', async () => {
    const story = example();
    expect(await story.ended).toBe(0);
    expect(story.stderr).toBe('');
    expect(story.stdout).toMatch(/\d+ reports in [4-9] terms, and never two pods at work at once/);
    expect(story.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('does the same on the cluster of a kubeconfig, and leaves no Lease behind', async () => {
    await using simulator = await Simulator.start({ http: true, nodes: 0 });
    const directory = mkdtempSync(join(tmpdir(), 'liberator-example-test-'));
    const kubeconfig = join(directory, 'kubeconfig');
    writeFileSync(kubeconfig, simulator.kubeconfig());
    const story = example('--kubeconfig', kubeconfig);
    const code = await story.ended;
    rmSync(directory, { recursive: true });
    expect([code, story.stderr]).toEqual([0, '']);
    expect(simulator.store.find(resources.leases, 'default', 'sidecar-election-example')).toBeUndefined();
    const asked = simulator.audit().filter(({ resource }) => resource === 'leases');
    expect(asked.length).toBeGreaterThan(50);
  });

  it('can be interrupted', async () => {
    const story = example();
    await until(() => story.stdout.includes('leading in term'));
    story.child.kill('SIGINT');
    expect(await story.ended).toBe(130);
    expect(story.stderr).toContain('Interrupted; what the example had started has ended.');
  });

  it.each([
    [['--help'], 0, /^$/],
    [
      ['--kubeconfg', 'x'],
      2,
      /^sidecar-election: Unknown option '--kubeconfg'; "npm run .+ shows what there is\n$/,
    ],
    [['--kubeconfig', '/nowhere'], 2, /^sidecar-election: could not read the kubeconfig \/nowhere: .+\n$/],
  ] as const)('says what it takes: %j', async (args, code, stderr) => {
    const told = example(...args);
    expect(await told.ended).toBe(code);
    expect(told.stderr).toMatch(stderr);
  });
});

describe('the script', () => {
  const script = (env: NodeJS.ProcessEnv, ...args: readonly string[]): Run =>
    run('sh', [join(folder, 'while-leading.sh'), ...args], env);

  it('works while a sidecar says that it leads, and knows its term', async () => {
    const told = { leads: true };
    const server = createServer((_, response) => {
      response.statusCode = told.leads ? 200 : 503;
      const answer = told.leads
        ? { name: 'a', last_update: 'x', isLeader: true, term: 12 }
        : { name: 'b', last_update: 'x', isLeader: false, term: 13 };
      response.end(`${JSON.stringify(answer)}\n`);
    });
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const SIDECAR = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const work = script({ SIDECAR }, '0.05', 'sh', '-c', 'echo "at work in $LEADER_TERM"');
    await until(() => /at work in 12\nat work in 12\n/.test(work.stdout));
    told.leads = false;
    await until(() => work.stdout.endsWith('waiting: b leads\n'));
    server.closeAllConnections();
    server.close();
    await until(() => work.stdout.endsWith('waiting: the sidecar does not answer\n'));
    expect(work.stdout).toMatch(
      /^leading in term 12\n(at work in 12\n)+waiting: b leads\nwaiting: the sidecar .*\n$/,
    );
    work.child.kill('SIGTERM');
    expect([await work.ended, work.stderr]).toEqual([0, '']);
  });

  it('says how it is used', async () => {
    const wrong = script({}, '5');
    expect(await wrong.ended).toBe(2);
    expect(wrong.stderr).toBe('usage: while-leading.sh SECONDS COMMAND [ARGUMENT...]\n');
  });
});

describe('the manifest', () => {
  const [account, role, binding, deployment] = parseAllDocuments(read('sidecar-election.yaml')).map(
    (document) => document.toJS(),
  );
  const { spec } = deployment.spec.template;
  const [sidecar] = spec.initContainers;
  const [work] = spec.containers;

  it('lets its pods have the Lease of its election, and nothing else', () => {
    const election = sidecar.args.find((arg: string) => arg.startsWith('--election=')).split('=')[1];
    expect(role.rules).toEqual([
      {
        apiGroups: ['coordination.k8s.io'],
        resources: ['leases'],
        resourceNames: [election],
        verbs: ['get', 'patch'],
      },
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
    ]);
    expect(binding.roleRef.name).toBe(role.metadata.name);
    expect(binding.subjects).toEqual([{ kind: 'ServiceAccount', name: account.metadata.name }]);
    expect(spec.serviceAccountName).toBe(account.metadata.name);
  });

  it('ends the work before the sidecar, and runs neither as root', () => {
    expect(sidecar.restartPolicy).toBe('Always');
    expect(spec.securityContext.runAsNonRoot).toBe(true);
    for (const { securityContext } of [sidecar, work]) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  it('asks for health by a command that ends well, or not, as the sidecar answers', async () => {
    let health = 200;
    const server = createServer((_, response) => response.writeHead(health).end());
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const [, ...command]: string[] = sidecar.livenessProbe.exec.command;
    const asking = (where: string): Promise<number | null> =>
      run(
        process.execPath,
        command.map((word) => word.replace(':4040', where)),
      ).ended;
    expect(await asking(`:${port}`)).toBe(0);
    health = 503;
    expect(await asking(`:${port}`)).toBe(1);
    expect(await asking(':1')).not.toBe(0);
  });

  it('mounts the script that kustomize makes a ConfigMap of', () => {
    const { configMapGenerator, resources: files } = parse(read('kustomization.yaml'));
    expect(files).toEqual(['sidecar-election.yaml']);
    expect(configMapGenerator).toEqual([
      { name: spec.volumes[0].configMap.name, files: ['while-leading.sh'] },
    ]);
    expect(work.command[1]).toBe(`${work.volumeMounts[0].mountPath}/while-leading.sh`);
  });
});
