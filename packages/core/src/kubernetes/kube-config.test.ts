import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadKubeConfig, loadServiceAccount, type ReloadableKubeConfig, withChoice } from './kube-config.ts';
import { KubeConfigError } from './kube-config-error.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kube-config-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function failureOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(KubeConfigError);
    return error as Error;
  }
  return expect.fail('expected a failure');
}

const good = {
  'current-context': 'prod',
  contexts: [{ name: 'prod', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
  clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443' } }],
  users: [{ name: 'u', user: { token: 's3cret' } }],
};

function kubeconfig(content: unknown): string {
  const path = join(folder, 'config');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('with a path', () => {
  test('loads that file', () => {
    const config = loadKubeConfig({ path: kubeconfig(good) });
    expect(config.getCurrentCluster()?.server).toBe('https://10.0.0.1:6443');
    expect(config.getContextObject('prod')?.namespace).toBe('shop');
  });

  test('acts as somebody else where it is told to, after the file was read again, too', async () => {
    const as = 'system:serviceaccount:tkr-system:high-availability';
    const path = kubeconfig(good);
    const config = loadKubeConfig({ path, as }) as ReloadableKubeConfig;
    writeFileSync(path, JSON.stringify({ ...good, users: [{ name: 'u', user: { token: 'rotated' } }] }));
    for (const [one, token] of [
      [config, 's3cret'],
      [config.reload(), 'rotated'],
    ] as const) {
      const options: { headers: Record<string, string> } = { headers: {} };
      await one.applyToHTTPSOptions(options);
      expect(options.headers).toMatchObject({ 'Impersonate-User': as, Authorization: `Bearer ${token}` });
    }
  });

  test('fails on a file that is not there', () => {
    const path = join(folder, 'nope');
    expect(failureOf(() => loadKubeConfig({ path })).message).toBe(
      `could not read the kubeconfig ${path}: there is no such file`,
    );
  });

  test.skipIf(process.getuid?.() === 0)('fails on a file that it may not read', () => {
    const path = kubeconfig(good);
    chmodSync(path, 0);
    expect(failureOf(() => loadKubeConfig({ path })).message).toContain('this process may not read it');
  });

  test('fails on a file that is not YAML, and quotes none of it', () => {
    const path = kubeconfig('users: [{ token: s3cret\n  nonsense: [}');
    const error = failureOf(() => loadKubeConfig({ path }));
    expect(error.message).toContain(`could not use the kubeconfig ${path}`);
    expect(inspect(error, { showHidden: true, depth: 5 })).not.toContain('s3cret');
  });

  test.each([
    [{ 'current-context': undefined }, 'has no current-context; set it to one of: prod'],
    [{ 'current-context': undefined, contexts: [] }, 'it has none either'],
    [{ 'current-context': 'dev' }, 'says current-context "dev", but it has no context of that name'],
    [{ clusters: [] }, 'names cluster "c", but it has no cluster of that name'],
    [{ users: [] }, 'names user "u", but it has no user of that name'],
    [{ clusters: [{ name: 'c', cluster: { server: 'ten' } }] }, 'to be a URL; found "ten"'],
    [{ clusters: [{ name: 'c', cluster: { server: 'ftp://ten' } }] }, 'to be an https URL'],
    [{ clusters: [{ name: 'c', cluster: { server: 'http://10.0.0.1:8080' } }] }, 'not encrypted'],
    [{ clusters: [{ name: 'c', cluster: {} }] }, 'server is missing'],
  ])('fails when it leads nowhere: %o', (overrides, sentence) => {
    const path = kubeconfig({ ...good, ...overrides });
    expect(failureOf(() => loadKubeConfig({ path })).message).toContain(sentence);
  });

  test('fails on an empty file, and on one that holds something else', () => {
    expect(failureOf(() => loadKubeConfig({ path: kubeconfig('') })).message).toContain('the kubeconfig');
    expect(failureOf(() => loadKubeConfig({ path: kubeconfig('[]') })).message).toContain('the kubeconfig');
    expect(failureOf(() => loadKubeConfig({ path: kubeconfig('just text') })).message).toContain(
      'the kubeconfig',
    );
    expect(failureOf(() => loadKubeConfig({ path: folder })).message).toContain('the kubeconfig');
  });

  test.each(['http://127.0.0.1:8080', 'http://localhost:8080', 'http://[::1]:8080'])(
    'accepts %s unencrypted: it does not leave the machine',
    (server) => {
      const path = kubeconfig({ ...good, clusters: [{ name: 'c', cluster: { server } }] });
      expect(loadKubeConfig({ path }).getCurrentCluster()?.server).toBe(server);
    },
  );

  describe('and with a choice', () => {
    const two = {
      'current-context': 'prod',
      contexts: [
        { name: 'prod', context: { cluster: 'c', user: 'u', namespace: 'shop' } },
        { name: 'dev', context: { cluster: 'd', user: 'v' } },
      ],
      clusters: ['c', 'd'].map((name) => ({ name, cluster: { server: `https://${name}` } })),
      users: ['u', 'v'].map((name) => ({ name, user: { token: name } })),
    };
    const chosen = (options: object, content: object = two): readonly unknown[] => {
      const config = loadKubeConfig({ path: kubeconfig(content), ...options });
      const { namespace } = config.getContextObject(config.getCurrentContext()) ?? {};
      return [config.getCurrentCluster()?.server, config.getCurrentUser()?.token, namespace];
    };

    test('uses the context, the cluster, the user and the namespace that were named, and the rest of the context', () => {
      expect(chosen({})).toEqual(['https://c', 'u', 'shop']);
      expect(chosen({ context: 'dev' })).toEqual(['https://d', 'v', undefined]);
      expect(chosen({ cluster: 'd' })).toEqual(['https://d', 'u', 'shop']);
      expect(chosen({ user: 'v' })).toEqual(['https://c', 'v', 'shop']);
      expect(chosen({ context: 'dev', user: 'u', namespace: 'x' })).toEqual(['https://d', 'u', 'x']);
    });

    test('needs no context where a cluster is named', () => {
      const none = { ...two, 'current-context': '', contexts: [] };
      expect(chosen({ cluster: 'd', user: 'u' }, none)).toEqual(['https://d', 'u', undefined]);
      expect(chosen({ cluster: 'd' }, none)).toEqual(['https://d', undefined, undefined]);
      expect(failureOf(() => chosen({ user: 'u' }, none)).message).toContain('has no current-context');
    });

    test.each(['context', 'cluster', 'user'])(
      'fails on a %s that is not there, and says which are',
      (kind) => {
        const { message } = failureOf(() => chosen({ [kind]: 'nope' }));
        expect(message).toMatch(new RegExp(`has no ${kind} "nope"; there is: `));
      },
    );
  });

  describe('or several of them', () => {
    test('merges those that are there, and fails when there is none', () => {
      const other = join(folder, 'other');
      writeFileSync(other, JSON.stringify({ ...good, 'current-context': 'x', users: [] }));
      const path = [join(folder, 'nope'), other, kubeconfig({ ...good, clusters: [] })];
      expect(failureOf(() => loadKubeConfig({ path })).message).toContain(
        `the kubeconfig ${path.join(':')} says current-context "x"`,
      );
      expect(loadKubeConfig({ path, context: 'prod' }).getCurrentUser()?.token).toBe('s3cret');
      expect(failureOf(() => loadKubeConfig({ path: ['/nope/a', '/nope/b'] })).message).toBe(
        'could not read the kubeconfig /nope/a:/nope/b: there is none of these files',
      );
    });
  });

  test('an authenticator that the caller added survives reloading', () => {
    const config = loadKubeConfig({ path: kubeconfig(good) }) as ReloadableKubeConfig;
    const added = vi.fn(() => false);
    config.addAuthenticator({ isAuthProvider: added, applyAuthentication: async () => undefined });
    const reloaded = config.reload();
    return reloaded.applyToHTTPSOptions({}).then(() => expect(added).toHaveBeenCalled());
  });
});

describe('without a path', () => {
  const account = '/var/run/secrets/kubernetes.io/serviceaccount';
  const mount = (...files: string[]): void => {
    for (const file of files) {
      const path = join(folder, account, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, file);
    }
  };

  test("uses the pod's service account", async () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', 'fd00::1');
    vi.stubEnv('KUBERNETES_SERVICE_PORT', '443');
    mount('token', 'ca.crt', 'namespace');
    const config = loadServiceAccount(folder);
    expect(config.getCurrentCluster()?.server).toBe('https://[fd00::1]:443');
    const options: { headers?: Record<string, string>; ca?: unknown } = {};
    await config.applyToHTTPSOptions(options);
    expect(options.headers?.['Authorization']).toBe('Bearer token');
    expect(String(options.ca)).toBe('ca.crt');
  });

  test('outside of a pod, says so and what to do, and never looks at KUBECONFIG or the home folder', () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined);
    vi.stubEnv('KUBERNETES_SERVICE_PORT', undefined);
    vi.stubEnv('KUBECONFIG', kubeconfig(good));
    expect(failureOf(() => loadKubeConfig()).message).toContain('no kubeconfig file was named; name one');
  });

  test.each(['context', 'cluster', 'user'])('has no %s to choose', (kind) => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '10.0.0.1');
    vi.stubEnv('KUBERNETES_SERVICE_PORT', '443');
    mount('token', 'ca.crt');
    const account = loadServiceAccount(folder);
    expect(failureOf(() => withChoice(account, { [kind]: 'x' })).message).toContain(
      `found no kubeconfig that could have a ${kind} "x", only the pod's service account`,
    );
    const config = withChoice(account, { as: 'jane', namespace: 'db' });
    expect(config.getCurrentUser()?.impersonateUser).toBe('jane');
    expect(config.getContextObject(config.getCurrentContext())?.namespace).toBe('db');
    expect(config.getCurrentUser()?.authProvider).toBeDefined();
  });

  test('in a pod without a service account, says which file is missing and what to do', () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '10.0.0.1');
    vi.stubEnv('KUBERNETES_SERVICE_PORT', '443');
    mount('ca.crt');
    const { message } = failureOf(() => loadServiceAccount(folder));
    expect(message).toContain(`${account}/token: there is no such file`);
    expect(message).toContain('automountServiceAccountToken');
  });
});
