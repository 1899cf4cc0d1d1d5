// The command line as a person or a supervisor meets it: what is said, on which stream, and with which exit code.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type AccessAttributes, Simulator } from '@liberator/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type AgentExit, AgentProcess, runCommand } from '../processes/agent-process.ts';
import { openMutableFront } from './mutable-front.ts';

const config = stringify({
  namespace: 'default',
  http: { address: '127.0.0.1', port: 0 },
  policies: [{ name: 'all', nodes: { all: true } }],
});

interface Ended extends AgentExit {
  readonly stdout: readonly string[];
  readonly stderr: string;
}

async function ended(agent: AgentProcess): Promise<Ended> {
  const exit = await agent.exit;
  return { ...exit, stdout: agent.entries.map(({ msg }) => msg), stderr: agent.stderr };
}

const command = (...args: readonly string[]): Promise<Ended> => ended(runCommand(args));

describe('the command line', () => {
  it.each([
    [],
    ['--help'],
    ['run', '--help'],
    ['check', '--help'],
    ['status', '--help'],
    ['explain', '--help'],
    ['takeovers', '--help'],
    ['simulate', '--help'],
    ['confirm', '--help'],
    ['fence', '--help'],
    ['cordon', '--help'],
    ['drain', '--help'],
    ['uncordon', '--help'],
    ['replay', '--help'],
    ['elect', '--help'],
    ['guard', '--help'],
  ])('explains itself in 80 columns: liberator %s', async (...args) => {
    const { code, stdout, stderr } = await command(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout[0]).toMatch(/^Usage: liberator /);
    expect(stdout.filter((line) => line.length > 80)).toEqual([]);
    expect(stdout.join('\n')).toMatch(/^Exit codes:\n {2}0 /m);
  });

  it('tells its version', async () => {
    const { code, stdout } = await command('--version');
    expect(code).toBe(0);
    expect(stdout).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
  });

  it.each([
    ['frobnicate', "liberator: unknown command 'frobnicate'\n"],
    ['--frobnicate', "liberator: unknown option '--frobnicate'\n"],
    ['run', "liberator: required option '-c, --config <file>' not specified\n"],
    ['run -c x --frobnicate', "liberator: unknown option '--frobnicate'\n"],
    ['run -c x y', "liberator: too many arguments for 'run'. Expected 0 arguments but got 1: y.\n"],
    [
      'run -c x --startup-timeout 30',
      `liberator: option '--startup-timeout <duration>' argument '30' is invalid. expected a duration such as "30s", ` +
        `"1m30s" or "500ms", found "30": add a unit, "30s" for seconds\n`,
    ],
    [
      'status -o yaml',
      "liberator: option '-o, --output <format>' argument 'yaml' is invalid. Allowed choices are text, json.\n",
    ],
    ['explain', "liberator: missing required argument 'node'\n"],
    [
      'takeovers -n Apps',
      "liberator: option '-n, --namespace <name>' argument 'Apps' is invalid. expected a Kubernetes name, " +
        'lower-case letters, digits, "-" and ".", found "Apps"\n',
    ],
    [
      'check --service-account high-availability',
      "liberator: option '--service-account <namespace/name>' argument 'high-availability' is invalid. " +
        'expected NAMESPACE/NAME, found "high-availability"\n',
    ],
    [
      'run -c /nowhere.yaml',
      'liberator: could not read the configuration /nowhere.yaml: there is no such file\n',
    ],
  ])('refuses `liberator %s` with one sentence and exit code 2', async (line, sentence) => {
    expect(await command(...line.split(' '))).toEqual({
      code: 2,
      signal: null,
      stdout: [],
      stderr: sentence,
    });
  });
});

// Mostly they wait, so they wait together.
describe.concurrent('liberator run', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'liberator-command-line-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  let files = 0;
  const file = (text: string): string => {
    files += 1;
    const path = join(folder, `${files}.kubeconfig`);
    writeFileSync(path, text);
    return path;
  };

  const run = async (options: Parameters<typeof AgentProcess.start>[0]): Promise<Ended> =>
    ended(await AgentProcess.start(options));

  it('does not wait for ever for an API server when it is asked to stop', async () => {
    await using simulator = await Simulator.start({ http: true, nodes: 1, timings: { speedUp: 10 } });
    await using front = await openMutableFront(simulator.url);
    const kubeconfig = file(simulator.kubeconfig().replace(simulator.url, front.url));
    const patient = `${config}election: { leaseDuration: 3m, renewDeadline: 2m }\n`;
    const agent = await AgentProcess.start({ config: patient, kubeconfig });
    await agent.waitFor(({ leading }) => leading === true);
    front.mute();
    const askedAt = performance.now();
    expect(await agent.kill('SIGTERM')).toEqual({ code: 1, signal: null });
    expect(performance.now() - askedAt).toBeGreaterThan(14_000);
    expect(performance.now() - askedAt).toBeLessThan(20_000);
    expect(agent.stderr).toBe('liberator: could not stop in good order within 15s, so it ends as it is\n');
  });

  it('refuses a wrong configuration with one line for each problem', async () => {
    const { code, stdout, stderr } = await run({
      config: 'namespace: x\npolicies: []\nhttp: { port: high }\n',
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: [] });
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(
        /^liberator: \S+:2: policies: expected at least 1 in the list, found an empty one$/,
      ),
      expect.stringMatching(/^liberator: \S+:3: http\.port: expected a number, found "high"$/),
      '',
    ]);
  });

  it('refuses a kubeconfig that is not there', async () => {
    const { code, stderr } = await run({ config, kubeconfig: '/nowhere.kubeconfig' });
    expect(code).toBe(2);
    expect(stderr).toBe(
      'liberator: could not read the kubeconfig /nowhere.kubeconfig: there is no such file\n',
    );
  });

  it('refuses to guess a cluster outside of one', async () => {
    const { code, stderr } = await run({ config });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^liberator: found no cluster to talk to: .+\n$/);
  });

  it('refuses a port that is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    await using simulator = await Simulator.start({ http: true, nodes: 1 });
    const kubeconfig = file(simulator.kubeconfig());
    const text = config.replace('port: 0', `port: ${port}`);
    const { code, stderr } = await run({ config: text, kubeconfig });
    taken.close();
    expect(code).toBe(1);
    expect(stderr).toBe(
      `liberator: could not listen on 127.0.0.1:${port} for /healthz, /readyz and /metrics: the port is already in use; set http.port\n`,
    );
  });

  it('waits for an API server, saying so, and gives up after the time that it was given', async () => {
    await using simulator = await Simulator.start({ http: true, nodes: 1 });
    const kubeconfig = file(simulator.kubeconfig());
    await simulator.httpServer.stopListening();
    const agent = await AgentProcess.start({ config, kubeconfig, args: ['--startup-timeout', '3s'] });
    await agent.waitFor(({ event }) => event === 'waiting');
    const url = await agent.url();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, 'failed: waiting for the API server\n']);
    const { code, stderr } = await ended(agent);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `liberator: could not reach ${simulator.url}: connection refused (waited 3s for it)\n`,
    );
  });

  it('goes on as soon as the API server is there', async () => {
    await using simulator = await Simulator.start({ http: true, nodes: 1, timings: { speedUp: 10 } });
    const kubeconfig = file(simulator.kubeconfig());
    await simulator.httpServer.stopListening();
    await using agent = await AgentProcess.start({ config, kubeconfig });
    await agent.waitFor(({ event }) => event === 'waiting');
    await simulator.httpServer.listenAgain();
    await agent.waitFor(({ event, leading }) => event === 'leadership' && leading === true);
    expect(await agent.kill('SIGINT')).toEqual({ code: 0, signal: null });
  });

  it('stops at once when it is asked to while it waits for the API server', async () => {
    await using simulator = await Simulator.start({ http: true, nodes: 1 });
    const kubeconfig = file(simulator.kubeconfig());
    await simulator.httpServer.stopListening();
    const agent = await AgentProcess.start({ config, kubeconfig });
    await agent.waitFor(({ event }) => event === 'waiting');
    expect(await agent.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(agent.stderr).toBe('');
  });

  it('refuses to start without a permission that a takeover needs, and says which', async () => {
    const forbidden = ({ verb, resource }: AccessAttributes): boolean =>
      !(resource === 'nodes' && (verb === 'delete' || verb === 'patch')) && resource !== 'volumeattachments';
    await using simulator = await Simulator.start({ http: true, nodes: 1, authorize: forbidden });
    const kubeconfig = file(simulator.kubeconfig({ user: 'agent' }));
    const { code, stderr } = await run({ config, kubeconfig });
    expect(code).toBe(1);
    expect(stderr).toBe(
      'liberator: the API server does not allow this identity to patch nodes, delete nodes, ' +
        'list volumeattachments.storage.k8s.io\n',
    );
  });

  it('refuses a namespace that is not there', async () => {
    await using simulator = await Simulator.start({ http: true, nodes: 1 });
    const kubeconfig = file(simulator.kubeconfig());
    const { code, stderr } = await run({ config: config.replace('default', 'nowhere'), kubeconfig });
    expect(code).toBe(1);
    expect(stderr).toBe('liberator: there is no namespace nowhere: create it, or set another\n');
  });

  it('warns of a policy that can do nothing', async () => {
    await using simulator = await Simulator.start({ http: true, nodes: 1 });
    const kubeconfig = file(simulator.kubeconfig());
    await using agent = await AgentProcess.start({ config: config.replace('all: true', '{}'), kubeconfig });
    const warning = await agent.waitFor(({ event }) => event === 'config');
    expect(warning).toMatchObject({
      level: 'warn',
      msg: expect.stringContaining('an empty selector matches no'),
    });
  });

  it('ends at once at a second signal', async () => {
    await using simulator = await Simulator.start({ http: true, nodes: 1, timings: { speedUp: 10 } });
    await using front = await openMutableFront(simulator.url);
    const kubeconfig = file(simulator.kubeconfig().replace(simulator.url, front.url));
    const agent = await AgentProcess.start({ config, kubeconfig });
    await agent.waitFor(({ leading }) => leading === true);
    // Nobody answers any more: giving the Lease back takes until the request times out.
    front.mute();
    agent.signal('SIGTERM');
    await agent.waitFor(({ event }) => event === 'stopping');
    expect(await agent.kill('SIGTERM')).toEqual({ code: 143, signal: null });
  });

  it.each([
    ['is thrown', 'throw new TypeError("oh\\nno")'],
    ['is rejected and nobody looks', 'Promise.reject(new TypeError("oh\\nno"))'],
  ])('ends with one sentence when something unexpected %s', async (_, mishap) => {
    await using simulator = await Simulator.start({ http: true, nodes: 1, timings: { speedUp: 10 } });
    const kubeconfig = file(simulator.kubeconfig());
    const loaded = `data:text/javascript,process.once("SIGUSR2",()=>{${mishap}})`;
    const within = ['env', `NODE_OPTIONS=--import ${JSON.stringify(encodeURI(loaded))}`];
    const agent = await AgentProcess.start({ config, kubeconfig, within });
    await agent.waitFor(({ leading }) => leading === true);
    expect(await agent.kill('SIGUSR2')).toEqual({ code: 1, signal: null });
    expect(agent.stderr).toBe('liberator: something unexpected happened: oh no\n');
    expect(agent.entries.at(-1)).toMatchObject({ event: 'stopped', exitCode: 1, level: 'error' });
  });

  it('keeps saying once what goes wrong all the time', async () => {
    await using simulator = await Simulator.start({ http: true, nodes: 1, timings: { speedUp: 10 } });
    const kubeconfig = file(simulator.kubeconfig());
    const quick = config.replace(
      'policies:',
      'election: { retryPeriod: 100ms, renewDeadline: 30s, leaseDuration: 40s }\npolicies:',
    );
    await using agent = await AgentProcess.start({ config: quick, kubeconfig });
    await agent.waitFor(({ leading }) => leading === true);
    await simulator.httpServer.stopListening();
    await pause(4_000);
    const told = agent.entries.filter(({ event, where }) => event === 'error' && where === 'election');
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(4);
    expect(agent.lastLines(50)).not.toMatch(/^\s+at /m);
  });
});
