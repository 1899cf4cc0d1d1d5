import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { answer } from '../testing/scripted-server.ts';
import { connectTo, failureOf, get, read, serve, temporaryFolder } from '../testing/wire.ts';
import { KubernetesClient } from './client.ts';
import { type LoadKubeConfigOptions, loadKubeConfig } from './kube-config.ts';
import type { Transport } from './transport.ts';

const v1 = 'client.authentication.k8s.io/v1';
const v1beta1 = 'client.authentication.k8s.io/v1beta1';

afterEach(() => vi.unstubAllEnvs());

/** What the plugin below notes of each of its runs. */
interface Run {
  readonly info: unknown;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  readonly stdinEnds: boolean;
}

/** A kubeconfig whose plugin prints `printed`, and notes what it was given. */
function setUp(
  serverUrl: string,
  { printed, exec = {}, cluster = {} }: { printed: string | object; exec?: object; cluster?: object },
): { path: string; folder: string; runs: () => readonly Run[] } {
  const folder = temporaryFolder();
  const log = join(folder, 'runs');
  const program = join(folder, 'plugin');
  const text = typeof printed === 'string' ? printed : JSON.stringify(printed);
  writeFileSync(
    program,
    `#!${process.execPath}
const { appendFileSync, readFileSync } = require('node:fs');
const { KUBERNETES_EXEC_INFO, WHO, PATH } = process.env;
const note = { info: JSON.parse(KUBERNETES_EXEC_INFO), args: process.argv.slice(2), env: { WHO, PATH }, stdinEnds: readFileSync(0).length === 0 };
appendFileSync(${JSON.stringify(log)}, JSON.stringify(note) + '\\n');
process.stdout.write(${JSON.stringify(text)}.replaceAll('RUN', readFileSync(${JSON.stringify(log)}, 'utf8').split('\\n').length - 1));
`,
  );
  chmodSync(program, 0o755);
  const path = join(folder, 'config');
  writeFileSync(
    path,
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: serverUrl, ...cluster } }],
      users: [
        {
          name: 'u',
          user: { exec: { apiVersion: v1, command: './plugin', interactiveMode: 'Never', ...exec } },
        },
      ],
    }),
  );
  const runs = (): readonly Run[] =>
    existsSync(log)
      ? readFileSync(log, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Run)
      : [];
  return { path, folder, runs };
}

const credential = (status: object, apiVersion = v1): object => ({
  apiVersion,
  kind: 'ExecCredential',
  status,
});

const open = (path: string, clock = new ManualClock(), options: LoadKubeConfigOptions = {}): Transport =>
  connectTo(loadKubeConfig({ path, ...options }), { clock });

const okServer = () => serve((_, response) => answer(response, 200, {}));

describe('a credential plugin', () => {
  test('is a program beside the kubeconfig when it has a slash; gets its arguments, its variables, no input', async () => {
    const server = await okServer();
    const { path, runs } = setUp(server.url, {
      printed: credential({ token: 'T' }),
      exec: { args: ['--for', 'a b'], env: [{ name: 'WHO', value: 'me' }] },
    });
    expect((await open(path).send(get())).status).toBe(200);
    expect(server.requests[0]?.headers.authorization).toBe('Bearer T');
    expect(runs()).toMatchObject([{ args: ['--for', 'a b'], env: { WHO: 'me' }, stdinEnds: true }]);
    expect(runs()[0]?.info).toEqual({ kind: 'ExecCredential', apiVersion: v1, spec: { interactive: false } });
  });

  test('is told about the cluster when it asks for that, with what the kubeconfig holds for it', async () => {
    const server = await okServer();
    const { path, runs } = setUp(server.url, {
      printed: credential({ token: 'T' }, v1beta1),
      exec: { apiVersion: v1beta1, interactiveMode: undefined, provideClusterInfo: true },
      cluster: {
        'tls-server-name': 'api',
        'insecure-skip-tls-verify': true,
        'disable-compression': true,
        extensions: [
          { name: 'other', extension: 1 },
          { name: 'client.authentication.k8s.io/exec', extension: { audience: 'x' } },
        ],
      },
    });
    await open(path).send(get());
    expect(runs()[0]?.info).toEqual({
      kind: 'ExecCredential',
      apiVersion: v1beta1,
      spec: {
        cluster: {
          server: server.url,
          'tls-server-name': 'api',
          'insecure-skip-tls-verify': true,
          'disable-compression': true,
          config: { audience: 'x' },
        },
        interactive: false,
      },
    });
  });

  test('is looked for in the PATH of this process, not in the one that is set for it', async () => {
    const server = await okServer();
    const { path, folder, runs } = setUp(server.url, {
      printed: credential({ token: 'T' }),
      exec: { command: 'plugin', env: [{ name: 'PATH', value: '/elsewhere' }] },
    });
    vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`);
    expect((await open(path).send(get())).status).toBe(200);
    expect(runs()[0]?.env['PATH']).toBe('/elsewhere');
  });

  test('that is not there is named, with the hint of whoever wrote the kubeconfig, all lines of it', async () => {
    const server = await okServer();
    const installHint = 'To get it:\n\n  brew install \u001b[1mlogin-tool';
    const { path } = setUp(server.url, { printed: '', exec: { command: 'login-tool-nowhere', installHint } });
    const { message } = (await failureOf(open(path).send(get()))) as Error;
    expect(message).toContain(
      `the credential plugin "login-tool-nowhere" of user "u" of the kubeconfig ${path}`,
    );
    expect(message).toContain('was not found');
    expect(message).toContain('To get it:\n\n  brew install [1mlogin-tool');
    expect(message).not.toContain('\u001b');
  });

  test('is not run when the kubeconfig itself holds a token, or a certificate', async () => {
    const server = await okServer();
    const { path, runs } = setUp(server.url, { printed: credential({ token: 'T' }) });
    const config = JSON.parse(readFileSync(path, 'utf8')) as { users: { user: object }[] };
    for (const { user } of config.users) Object.assign(user, { token: 'own' });
    writeFileSync(path, JSON.stringify(config));
    await open(path).send(get());
    expect(server.requests[0]?.headers.authorization).toBe('Bearer own');
    expect(runs()).toEqual([]);
  });

  test('runs once for all connections to its cluster, and again when what it gave expires', async () => {
    const server = await okServer();
    const clock = new ManualClock();
    const expirationTimestamp = new Date(clock.wallTime() + 10 * 60_000).toISOString();
    const { path, runs } = setUp(server.url, { printed: credential({ token: 'RUN', expirationTimestamp }) });
    const [one, two] = [open(path, clock), open(path, clock)];
    for (const transport of [one, two]) await read(await transport.send(get()));
    await clock.advance(9 * 60_000);
    for (const transport of [one, two]) await read(await transport.send(get()));
    expect(runs()).toHaveLength(1);
    await clock.advance(60_000);
    await read(await one.send(get()));
    expect(runs()).toHaveLength(2);
    expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer 2');
  });

  test('whose answer expires within the minute is asked again by then', async () => {
    const server = await okServer();
    const clock = new ManualClock();
    const expirationTimestamp = new Date(clock.wallTime() + 20_000).toISOString();
    const { path, runs } = setUp(server.url, { printed: credential({ token: 'RUN', expirationTimestamp }) });
    const transport = open(path, clock);
    await read(await transport.send(get()));
    await clock.advance(21_000);
    await read(await transport.send(get()));
    expect(runs()).toHaveLength(2);
  });

  test.each([
    ['nonsense s3cret', 'did not print an ExecCredential'],
    ['{"kind":"Pod","status":{"token":"s3cret"}}', 'did not print an ExecCredential'],
    [credential({ token: 's3cret' }, v1beta1), 'of another version than client.authentication.k8s.io/v1'],
    [{ apiVersion: v1, kind: 'ExecCredential' }, 'without a status'],
    [credential({}), 'neither a token nor a certificate'],
    [credential({ clientCertificateData: 's3cret' }), 'only one of certificate and key'],
    [credential({ clientCertificateData: 's3cret', clientKeyData: 's3cret' }), "can't be used together"],
    [credential({ token: ['s3cret'] }), 'malformed'],
    [credential({ token: 's3cret', expirationTimestamp: 'soon' }), 'expirationTimestamp that is none'],
  ])('that answers %j is refused in words that repeat nothing of it', async (printed, words) => {
    const server = await okServer();
    const { path } = setUp(server.url, { printed });
    const error = await failureOf(open(path).send(get()));
    expect((error as Error).message).toContain(words);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('s3cret');
    expect(server.requests).toEqual([]);
  });

  test('that wants a terminal and nothing else is not run where nobody is there', async () => {
    const server = await okServer();
    const { path, runs } = setUp(server.url, { printed: '', exec: { interactiveMode: 'Always' } });
    const { message } = (await failureOf(open(path).send(get()))) as Error;
    expect(message).toContain('needs a terminal (interactiveMode: Always), but nobody is there to answer it');
    expect(runs()).toEqual([]);
  });

  test('that prints YAML is understood, as everywhere in Kubernetes', async () => {
    const server = await okServer();
    const { path } = setUp(server.url, {
      printed: `apiVersion: ${v1}\nkind: ExecCredential\nstatus: { token: T }\n`,
    });
    await open(path).send(get());
    expect(server.requests[0]?.headers.authorization).toBe('Bearer T');
  });
});

describe('a credential plugin that waits for a person', () => {
  const waiting = async (attended: boolean) => {
    const server = await okServer();
    const folder = temporaryFolder();
    const door = join(folder, 'door');
    const path = join(folder, 'config');
    const script = `while [ ! -e ${door} ]; do sleep 0.02; done; echo '${JSON.stringify(credential({ token: 'T' }))}'`;
    writeFileSync(
      path,
      JSON.stringify({
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster: { server: server.url } }],
        users: [
          {
            name: 'u',
            user: {
              exec: { apiVersion: v1, command: 'sh', args: ['-c', script], interactiveMode: 'IfAvailable' },
            },
          },
        ],
      }),
    );
    const clock = new ManualClock();
    const transport = open(path, clock, { attended });
    const client = new KubernetesClient({ transport, clock, random: { next: () => 0 } });
    return { clock, version: client.version(), open: () => writeFileSync(door, '') };
  };

  test('is waited for as long as it takes, and only then the time limits of the request begin', async () => {
    const { clock, version, open: openDoor } = await waiting(true);
    await clock.advance(10 * 60_000);
    openDoor();
    expect(await version).toEqual({});
  });

  test('is not waited for where there is nobody', async () => {
    const { clock, version } = await waiting(false);
    const failure = failureOf(version);
    await clock.advance(10 * 60_000);
    expect((await failure) as Error).toMatchObject({ name: expect.stringMatching(/Timeout|Transport/) });
  });
});
