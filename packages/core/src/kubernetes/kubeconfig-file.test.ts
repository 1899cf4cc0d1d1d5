import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mergeKubeconfigs, readKubeconfigFile } from './kubeconfig-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(content: string | object, name = 'config'): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const failureOf = (path: string): string => {
  try {
    readKubeconfigFile(path);
  } catch (error) {
    return (error as Error).message;
  }
  return expect.fail('expected a failure');
};

describe('a kubeconfig file', () => {
  test('that is not there is no content; an empty one says nothing', () => {
    expect(readKubeconfigFile(join(folder, 'nope'))).toBeUndefined();
    const nothing = { currentContext: '', contexts: [], clusters: [], users: [] };
    for (const content of ['', '# nothing', '{}', 'users: null\nclusters:\n']) {
      expect(readKubeconfigFile(file(content))).toEqual(nothing);
    }
  });

  test('names files relative to itself, and a program that has a slash in it, too', () => {
    const path = file(
      {
        clusters: [{ name: 'c', cluster: { server: 'https://c', 'certificate-authority': 'ca.crt' } }],
        users: [
          {
            name: 'files',
            user: { 'client-certificate': '../u.crt', 'client-key': '/keys/u.key', tokenFile: 'token' },
          },
          { name: 'beside', user: { exec: { command: './bin/login' } } },
          { name: 'installed', user: { exec: { command: 'login' } } },
        ],
      },
      'sub/config',
    );
    const content = readKubeconfigFile(path);
    expect(content?.clusters[0]).toMatchObject({ caFile: join(folder, 'sub/ca.crt') });
    expect(content?.users[0]).toMatchObject({
      certFile: join(folder, 'u.crt'),
      keyFile: '/keys/u.key',
      tokenFile: join(folder, 'sub/token'),
    });
    expect(content?.users.slice(1).map(({ exec }) => exec.command)).toEqual([
      join(folder, 'sub/bin/login'),
      'login',
    ]);
  });

  test('is YAML 1.1, of which the last of equal keys and the first document count', () => {
    const content = readKubeconfigFile(
      file(
        'current-context: a\ncurrent-context: b\nclusters: [{name: c, cluster: {insecure-skip-tls-verify: yes}}]\n---\nx: 1',
      ),
    );
    expect(content?.currentContext).toBe('b');
    expect(content?.clusters[0]?.skipTLSVerify).toBe(true);
  });

  test('says who is acted as with all that goes with it', () => {
    const user = {
      as: 'jane',
      'as-uid': '7',
      'as-groups': ['dev', 'ops'],
      'as-user-extra': { 'a.b/c': ['x', 'y'] },
    };
    expect(readKubeconfigFile(file({ users: [{ name: 'u', user }] }))?.users[0]).toMatchObject({
      impersonateUser: 'jane',
      impersonateUid: '7',
      impersonateGroups: ['dev', 'ops'],
      impersonateUserExtra: { 'a.b/c': ['x', 'y'] },
    });
  });

  test.each([
    ['users: [{name: u, user: {token: 31337}}]', 'users[0].user.token'],
    ['users: [{name: u, user: {as-groups: ops}}]', 'users[0].user.as-groups'],
    ['users: [{name: u, user: {as-groups: [1]}}]', 'users[0].user.as-groups[0]'],
    ['users: [{name: u, user: [1]}]', 'users[0].user'],
    ['users: {name: u}', 'users'],
    ['clusters: [{name: 1}]', 'clusters[0].name'],
    [
      'clusters: [{name: c, cluster: {insecure-skip-tls-verify: 3}}]',
      'clusters[0].cluster.insecure-skip-tls-verify',
    ],
    ['clusters: [{name: c, cluster: {certificate-authority-data: s3cret!}}]', 'certificate-authority-data'],
    ['users: [{name: u, user: {exec: {args: x}}}]', 'users[0].user.exec.args'],
  ])('with the wrong thing under a key names the key and not the thing: %s', (content, key) => {
    const message = failureOf(file(content));
    expect(message).toContain(key);
    expect(message).toContain(join(folder, 'config'));
    expect(message).not.toMatch(/31337|s3cret/);
  });

  test.each([
    'users: [{token: s3cret\n nonsense: [}',
    'token: *s3cret',
    'a: !<s3cret> b',
    '\ttoken: s3cret: x',
  ])('that is no YAML is said to be none, and where, and none of it is quoted: %s', (content) => {
    const message = failureOf(file(content));
    expect(message).toMatch(/could not use the kubeconfig .* not valid YAML \(line \d+, column \d+\)$/);
    expect(message).not.toContain('s3cret');
  });

  test('with two users of one name, or of another kind, is refused', () => {
    const twice = { users: [{ name: 'u' }, { name: 'u' }] };
    expect(failureOf(file(twice))).toContain('has two users of the name "u"');
    expect(failureOf(file({ kind: 'Pod', apiVersion: 'v1' }))).toContain('found a Pod of v1');
  });
});

describe('several kubeconfigs', () => {
  const entry = (name: string, token: string): object => ({ name, user: { token } });
  const contentOf = (content: object, name: string) =>
    readKubeconfigFile(file(content, name)) ?? expect.fail();

  test('are merged so that the first to set a value or to name an entry wins, whole', () => {
    const merged = mergeKubeconfigs([
      contentOf({ 'current-context': '', users: [entry('red', 'first')] }, 'a'),
      contentOf(
        {
          'current-context': 'b',
          users: [{ name: 'red', user: { token: 'second', as: 'somebody' } }, entry('blue', 'blue')],
        },
        'b',
      ),
      contentOf({ 'current-context': 'c' }, 'c'),
    ]);
    expect(merged.currentContext).toBe('b');
    expect(merged.users.map(({ name, token }) => [name, token])).toEqual([
      ['red', 'first'],
      ['blue', 'blue'],
    ]);
    expect(merged.users[0]).not.toHaveProperty('impersonateUser');
  });

  test('each name files relative to themselves', () => {
    const tokenFile = { users: [{ name: 'u', user: { tokenFile: 't' } }] };
    const other = { users: [{ name: 'v', user: { tokenFile: 't' } }] };
    const merged = mergeKubeconfigs([contentOf(tokenFile, 'one/config'), contentOf(other, 'two/config')]);
    expect(merged.users.map((user) => user.tokenFile)).toEqual([
      join(folder, 'one/t'),
      join(folder, 'two/t'),
    ]);
  });
});
