// The same kubeconfigs, flags and variables for kubectl and for liberator: the same has to arrive, or nothing.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CertificateAuthority, createAuthority } from '../../packages/core/src/testing/certificates.ts';
import { findKubectl } from './kubectl.ts';
import { type Arrival, type Recorder, run, startRecorder, typing } from './recorder.ts';

const main = join(import.meta.dirname, '../../packages/agent/src/main.ts');
const v1 = 'client.authentication.k8s.io/v1';
const v1beta1 = 'client.authentication.k8s.io/v1beta1';

let kubectl: string;
let root: CertificateAuthority;
let intermediate: CertificateAuthority;
let client: { readonly key: string; readonly cert: string };
let recorder: Recorder;
let folder: string;

beforeAll(async () => {
  kubectl = await findKubectl();
  root = createAuthority('root');
  intermediate = root.delegate('intermediate');
  client = root.issue('jane');
  // For both names by which it is asked for: its address, and one that is in no DNS.
  recorder = await startRecorder({ ...intermediate.issue('server'), ca: root.cert });
  folder = mkdtempSync(join(tmpdir(), 'kubectl-and-us-'));
}, 900_000);
afterAll(async () => {
  await recorder?.[Symbol.asyncDispose]();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** What both are given. Files are named by their place in a folder of the test's own, where both run. */
interface Case {
  readonly files: Readonly<Record<string, string | object>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Outcome {
  readonly failed: boolean;
  readonly first: Omit<Arrival, 'path'> | undefined;
  readonly tunnel: string | undefined;
  readonly notes: readonly unknown[];
}

let count = 0;

async function outcomes({ files, args = [], env = {} }: Case): Promise<{ kubectl: Outcome; ours: Outcome }> {
  count += 1;
  const cwd = join(folder, String(count));
  for (const [name, content] of Object.entries(files)) {
    const path = join(cwd, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    if (typeof content === 'string' && content.startsWith('#!')) chmodSync(path, 0o755);
  }
  const surroundings = { PATH: process.env['PATH'] ?? '', HOME: cwd, KUBECONFIG: 'config', ...env };
  const one = async (command: string, own: readonly string[]): Promise<Outcome> => {
    const notes = join(cwd, 'notes');
    rmSync(notes, { force: true });
    recorder.take();
    const { code } = await run(command, [...own, ...args], { cwd, env: surroundings });
    const { arrivals, tunnels } = recorder.take();
    const [first] = arrivals;
    const { path: _, ...identity } = first ?? { path: '' };
    return {
      // That there is no such node is said by the server, so it was reached as was meant.
      failed: first === undefined && code !== 0,
      first: first === undefined ? undefined : (identity as Omit<Arrival, 'path'>),
      tunnel: tunnels[0],
      notes: lines(notes),
    };
  };
  return {
    kubectl: await one(kubectl, ['get', '--raw', '/version']),
    ours: await one(process.execPath, ['--conditions=@liberator/source', main, 'cordon', 'nobody']),
  };
}

function lines(path: string): readonly unknown[] {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return text.split('\n').map((line) => JSON.parse(line) as unknown);
  } catch {
    return [];
  }
}

const cluster = (more: object = {}): object => ({
  server: recorder.url,
  'certificate-authority-data': base64(intermediate.cert),
  ...more,
});

/** One context of one cluster and one user. */
const config = (user: object = { token: 't' }, aboutCluster: object = cluster()): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'c',
  contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  clusters: [{ name: 'c', cluster: aboutCluster }],
  users: [{ name: 'u', user }],
});

/** A plugin that notes what it was told, and prints a credential. */
const plugin = (printed: object | string): string => `#!/bin/sh
printf '%s\\n' "$KUBERNETES_EXEC_INFO" >> "$HOME/notes"
cat <<'END'
${typeof printed === 'string' ? printed : JSON.stringify(printed)}
END
`;
const credential = (status: object, apiVersion = v1): object => ({
  apiVersion,
  kind: 'ExecCredential',
  status,
});
const exec = (more: object = {}): object => ({
  exec: { apiVersion: v1, command: './plugin', interactiveMode: 'Never', ...more },
});

const someone = {
  token: 't',
  as: 'jane',
  'as-uid': '7',
  'as-groups': ['dev', 'ops,x'],
  'as-user-extra': { 'A/b%': ['1', '2'] },
};

/** What arrives is the same, and something arrives. */
const agreed: readonly (readonly [string, () => Case])[] = [
  ['a token, and an authority that is an intermediate one', () => ({ files: { config: config() } })],
  [
    'an authority in a file beside the kubeconfig',
    () => ({
      files: {
        'sub/config': config(
          { tokenFile: 'token' },
          { server: recorder.url, 'certificate-authority': 'ca.crt' },
        ),
        'sub/ca.crt': intermediate.cert,
        'sub/token': 'from-file\n',
      },
      env: { KUBECONFIG: 'sub/config' },
    }),
  ],
  [
    'a token file and an old token beside it',
    () => ({ files: { config: config({ token: 'old', tokenFile: 'token' }), token: 'new\n' } }),
  ],
  [
    'a token file that is gone, and a token',
    () => ({ files: { config: config({ token: 'old', tokenFile: 'token' }) } }),
  ],
  [
    'a token file under the name that client-node has for it',
    () => ({
      files: { config: config({ username: 'a', password: 'b', 'token-file': 'token' }), token: 'x' },
    }),
  ],
  [
    'a user name and a password',
    () => ({ files: { config: config({ username: 'jane', password: 'p:w' }) } }),
  ],
  [
    'a client certificate, in files',
    () => ({
      files: {
        config: config({ 'client-certificate': 'c.crt', 'client-key': 'c.key' }),
        'c.crt': client.cert,
        'c.key': client.key,
      },
    }),
  ],
  [
    'a client certificate in the file itself, and a token',
    () => ({
      files: {
        config: config({
          token: 't',
          'client-certificate-data': base64(client.cert),
          'client-key-data': base64(client.key),
        }),
      },
    }),
  ],
  ['somebody to act as, with all that belongs to it', () => ({ files: { config: config(someone) } })],
  [
    'somebody to act as whom the flags replace',
    () => ({
      files: { config: config(someone) },
      args: ['--as', 'bob', '--as-group', 'x', '--as-group', 'y,z'],
    }),
  ],
  [
    'a server name that differs from the address, and no compression',
    () => ({
      files: {
        config: config(
          { token: 't' },
          cluster({ 'tls-server-name': 'localhost', 'disable-compression': true }),
        ),
      },
    }),
  ],
  [
    'a server that is not verified',
    () => ({
      files: { config: config({ token: 't' }, { server: recorder.url, 'insecure-skip-tls-verify': true }) },
    }),
  ],
  [
    'a server below a path',
    () => ({ files: { config: config({ token: 't' }, cluster({ server: `${recorder.url}/k8s/c-1` })) } }),
  ],
  [
    'a proxy of the cluster',
    () => ({
      files: { config: config({ token: 't' }, cluster({ 'proxy-url': withPassword(recorder.proxyUrl) })) },
    }),
  ],
  ['HTTPS_PROXY for a server elsewhere', () => proxied({})],
  [
    'HTTPS_PROXY in small letters and without a scheme',
    () => ({
      ...proxied({ https_proxy: recorder.proxyUrl.replace('http://', '') }, ''),
    }),
  ],
  ['NO_PROXY that means somebody else', () => proxied({ NO_PROXY: 'example.com,10.0.0.0/8' })],
  [
    'HTTPS_PROXY for a server on this machine',
    () => ({
      files: { config: config() },
      env: { HTTPS_PROXY: 'http://127.0.0.1:1' },
    }),
  ],
  [
    'several kubeconfigs, of which the first to name something wins',
    () => ({
      files: {
        a: { users: [{ name: 'u', user: { token: 'first' } }], 'current-context': '' },
        'sub/b': config({ token: 'second', as: 'jane' }),
        c: { ...config({ token: 'third' }), 'current-context': 'nope' },
      },
      env: { KUBECONFIG: 'nope:a::sub/b:c:a' },
    }),
  ],
  ['the kubeconfig at home', () => ({ files: { '.kube/config': config() }, env: { KUBECONFIG: '' } })],
  [
    'a context, a cluster and a user by flags',
    () => ({
      files: {
        config: {
          ...config(),
          contexts: [
            { name: 'c', context: { cluster: 'c', user: 'u' } },
            { name: 'd', context: { cluster: 'nope', user: 'nope' } },
          ],
          users: [
            { name: 'u', user: { token: 't' } },
            { name: 'v', user: { token: 'v' } },
          ],
        },
      },
      args: ['--context', 'd', '--cluster', 'c', '--user', 'v'],
    }),
  ],
  [
    'no context at all, but a cluster and a user by flags',
    () => ({
      files: { config: { ...config(), contexts: [], 'current-context': '' } },
      args: ['--cluster', 'c', '--user', 'u'],
    }),
  ],
  [
    'YAML of which two documents and two equal keys are there',
    () => ({
      files: {
        config: `current-context: x\n${JSON.stringify(config())
          .slice(1, -1)
          .replaceAll(/,"(clusters|users|contexts|current-context)":/g, '\n$1: ')
          .replace(
            /^"apiVersion":"v1","kind":"Config"/,
            'apiVersion: v1\nkind: Config',
          )}\n---\nnothing: else\n`,
      },
    }),
  ],
  [
    'a plugin beside the kubeconfig',
    () => ({
      files: { 'sub/config': config(exec()), 'sub/plugin': plugin(credential({ token: 'T' })) },
      env: { KUBECONFIG: 'sub/config' },
    }),
  ],
  [
    'a plugin that is told about the cluster',
    () => ({
      files: {
        config: config(
          exec({ provideClusterInfo: true }),
          cluster({
            'tls-server-name': 'localhost',
            'disable-compression': true,
            extensions: [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'x' } }],
          }),
        ),
        plugin: plugin(credential({ token: 'T' })),
      },
    }),
  ],
  [
    'a plugin that is told about a cluster of which there is little to tell',
    () => ({
      files: {
        config: config(exec({ provideClusterInfo: true }), {
          server: recorder.url,
          'certificate-authority': 'ca.crt',
        }),
        'ca.crt': intermediate.cert,
        plugin: plugin(credential({ token: 'T' })),
      },
    }),
  ],
  [
    'a plugin of the older version, which wants a terminal if there is one',
    () => ({
      files: {
        config: config(exec({ apiVersion: v1beta1, interactiveMode: undefined })),
        plugin: plugin(credential({ token: 'T' }, v1beta1)),
      },
    }),
  ],
  [
    'a plugin in PATH, whose own PATH is another',
    () => ({
      files: {
        config: config(exec({ command: 'plugin', env: [{ name: 'PATH', value: '/usr/bin:/bin' }] })),
        'bin/plugin': plugin(credential({ token: 'T' })),
      },
      env: { PATH: `${join(folder, String(count + 1), 'bin')}:${process.env['PATH']}` },
    }),
  ],
  [
    'a plugin that gives a certificate',
    () => ({
      files: {
        config: config(exec()),
        plugin: plugin(credential({ clientCertificateData: client.cert, clientKeyData: client.key })),
      },
    }),
  ],
  [
    'a plugin that is not needed, since there is a token',
    () => ({
      files: { config: config({ token: 't', ...exec({ command: 'nowhere' }) }) },
    }),
  ],
  [
    'a plugin that prints YAML',
    () => ({
      files: {
        config: config(exec()),
        plugin: plugin(`apiVersion: ${v1}\nkind: ExecCredential\nstatus: {token: T}`),
      },
    }),
  ],
];

/** Nothing arrives, since both refuse. */
const refused: readonly (readonly [string, () => Case])[] = [
  [
    'an authority that did not sign',
    () => ({
      files: {
        config: config(
          { token: 't' },
          cluster({ 'certificate-authority-data': base64(root.delegate('x').cert) }),
        ),
      },
    }),
  ],
  [
    'an authority of which both ways are named',
    () => ({
      files: {
        config: config({ token: 't' }, cluster({ 'certificate-authority': 'ca' })),
        ca: intermediate.cert,
      },
    }),
  ],
  [
    'an authority for a server that is not verified',
    () => ({
      files: { config: config({ token: 't' }, cluster({ 'insecure-skip-tls-verify': true })) },
    }),
  ],
  [
    'a proxy of another kind',
    () => ({
      files: { config: config({ token: 't' }, cluster({ 'proxy-url': 'ftp://127.0.0.1:1' })) },
    }),
  ],
  ['a token and a user name', () => ({ files: { config: config({ token: 't', username: 'u' }) } })],
  ['a token file that is gone', () => ({ files: { config: config({ tokenFile: 'token' }) } })],
  ['a token file that is empty', () => ({ files: { config: config({ tokenFile: 'token' }), token: '\n' } })],
  [
    'a certificate without its key',
    () => ({
      files: { config: config({ 'client-certificate-data': base64(client.cert) }) },
    }),
  ],
  ['groups of nobody', () => ({ files: { config: config({ token: 't', 'as-groups': ['x'] }) } })],
  ['groups of nobody by flags', () => ({ files: { config: config() }, args: ['--as-group', 'x'] })],
  [
    'a context, cluster or user that is not there',
    () => ({ files: { config: config() }, args: ['--context', 'x'] }),
  ],
  ['a cluster that is not there', () => ({ files: { config: config() }, args: ['--cluster', 'x'] })],
  ['a user that is not there', () => ({ files: { config: config() }, args: ['--user', 'x'] })],
  ['a token that is a number', () => ({ files: { config: config({ token: 1 }) } })],
  [
    'two users of one name',
    () => ({
      files: { config: { ...config(), users: ['a', 'b'].map((token) => ({ name: 'u', user: { token } })) } },
    }),
  ],
  ['another kind of file', () => ({ files: { config: { ...config(), kind: 'Pod' } } })],
  [
    'a plugin of a version that is no more',
    () => ({
      files: {
        config: config(exec({ apiVersion: 'client.authentication.k8s.io/v1alpha1' })),
        plugin: plugin('{}'),
      },
    }),
  ],
  [
    'a plugin that does not say whether it wants a terminal',
    () => ({
      files: {
        config: config(exec({ interactiveMode: undefined })),
        plugin: plugin(credential({ token: 'T' })),
      },
    }),
  ],
  [
    'a plugin that must have a terminal, where there is none',
    () => ({
      files: {
        config: config(exec({ interactiveMode: 'Always' })),
        plugin: plugin(credential({ token: 'T' })),
      },
    }),
  ],
  [
    'a plugin that answers in another version',
    () => ({
      files: { config: config(exec()), plugin: plugin(credential({ token: 'T' }, v1beta1)) },
    }),
  ],
  [
    'a plugin that answers without a version',
    () => ({
      files: { config: config(exec()), plugin: plugin({ kind: 'ExecCredential', status: { token: 'T' } }) },
    }),
  ],
  [
    'a plugin that gives nothing',
    () => ({ files: { config: config(exec()), plugin: plugin(credential({})) } }),
  ],
  [
    'a plugin that gives half a certificate',
    () => ({
      files: { config: config(exec()), plugin: plugin(credential({ clientCertificateData: client.cert })) },
    }),
  ],
  [
    'a plugin that fails',
    () => ({
      files: { config: config(exec()), plugin: `${plugin(credential({ token: 'T' }))}exit 3\n` },
    }),
  ],
  ['a plugin that is not there', () => ({ files: { config: config(exec()) } })],
];

/** A server that only a proxy finds. */
function proxied(env: Readonly<Record<string, string>>, usual = recorder.proxyUrl): Case {
  const server = cluster({
    server: `https://api.test.invalid:${recorder.port}`,
    'tls-server-name': 'localhost',
  });
  return {
    files: { config: config({ token: 't' }, server) },
    env: { ...(usual !== '' && { HTTPS_PROXY: withPassword(usual) }), ...env },
  };
}

function withPassword(url: string): string {
  return url.replace('//', '//me:p%40ss@');
}

describe('kubectl and liberator say the same of themselves, given', () => {
  test.each(agreed)('%s', async (_, given) => {
    const { kubectl: theirs, ours } = await outcomes(given());
    expect(theirs.first, 'what arrived of kubectl').toBeDefined();
    expect(ours).toEqual(theirs);
  });
});

describe('kubectl and liberator refuse alike', () => {
  test.each(refused)('%s', async (_, given) => {
    const { kubectl: theirs, ours } = await outcomes(given());
    expect(theirs).toMatchObject({ failed: true, first: undefined });
    expect(ours).toMatchObject({ failed: true, first: undefined });
  });
});

describe('a plugin that speaks with a person', () => {
  const script = `#!/bin/sh
echo 'open https://login and type the code' >&2
read -r code || code=nothing
printf '%s\\n' "$KUBERNETES_EXEC_INFO" >> "$HOME/notes"
echo '${JSON.stringify(credential({ token: 'CODE' }))}' | sed "s/CODE/$code/"
`;
  const programs = (): readonly (readonly string[])[] => [
    [kubectl, 'get', '--raw', '/version'],
    [process.execPath, '--conditions=@liberator/source', main, 'cordon', 'nobody'],
  ];

  function prepare(interactiveMode: string): { cwd: string; env: Record<string, string> } {
    count += 1;
    const cwd = join(folder, String(count));
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'config'), JSON.stringify(config(exec({ interactiveMode }))));
    writeFileSync(join(cwd, 'plugin'), script, { mode: 0o755 });
    return { cwd, env: { PATH: process.env['PATH'] ?? '', HOME: cwd, KUBECONFIG: 'config' } };
  }

  test('is seen and, where it may, gets what is typed', async () => {
    const { cwd, env } = prepare('Always');
    for (const program of programs()) {
      rmSync(join(cwd, 'notes'), { force: true });
      recorder.take();
      const seen = await typing('1234\n', program, { cwd, env });
      expect(seen).toContain('open https://login and type the code');
      expect(recorder.take().arrivals[0]?.authorization).toBe('Bearer 1234');
      expect(lines(join(cwd, 'notes'))).toMatchObject([{ spec: { interactive: true } }]);
    }
  });

  test('is seen and gets nothing where it said that it never reads', async () => {
    const { cwd, env } = prepare('Never');
    for (const program of programs()) {
      rmSync(join(cwd, 'notes'), { force: true });
      recorder.take();
      expect(await typing('1234\n', program, { cwd, env })).toContain('open https://login');
      expect(recorder.take().arrivals[0]?.authorization).toBe('Bearer nothing');
      expect(lines(join(cwd, 'notes'))).toMatchObject([{ spec: { interactive: false } }]);
    }
  });

  test('is seen where there is no terminal, and reads nothing', async () => {
    const { cwd, env } = prepare('IfAvailable');
    for (const [command = '', ...args] of programs()) {
      recorder.take();
      const { stderr } = await run(command, args, { cwd, env });
      expect(stderr).toContain('open https://login');
      expect(recorder.take().arrivals[0]?.authorization).toBe('Bearer nothing');
    }
  });
});
