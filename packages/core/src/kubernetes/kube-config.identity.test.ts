import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CertificateAuthority, createAuthority } from '../testing/certificates.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { answer, type ReceivedRequest } from '../testing/scripted-server.ts';
import { connectTo, failureOf, get, read, serve, temporaryFolder } from '../testing/wire.ts';
import { type LoadKubeConfigOptions, loadKubeConfig } from './kube-config.ts';
import type { Transport } from './transport.ts';

const clock = new ManualClock();

/** A transport as a kubeconfig says it, of which `user` and `cluster` are given. */
function open(
  entries: { user?: object | undefined; cluster: object; context?: object },
  options: LoadKubeConfigOptions = {},
  folder = temporaryFolder(),
): Transport {
  const path = join(folder, 'config');
  const { user, cluster, context = { cluster: 'c', ...(user && { user: 'u' }) } } = entries;
  writeFileSync(
    path,
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context }],
      clusters: [{ name: 'c', cluster }],
      users: user ? [{ name: 'u', user }] : [],
    }),
  );
  return connectTo(loadKubeConfig({ path, ...options }), { clock });
}

const okServer = () => serve((_, response) => answer(response, 200, {}));

/** Header lines as they arrived, repeated ones included. */
function linesOf(request: ReceivedRequest | undefined, prefix: string): readonly string[] {
  const raw = request?.rawHeaders ?? [];
  const lines: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]?.toLowerCase().startsWith(prefix)) lines.push(`${raw[i]?.toLowerCase()}: ${raw[i + 1]}`);
  }
  return lines.toSorted();
}

describe('who a kubeconfig speaks for', () => {
  test('is nobody where the context names no user', async () => {
    const server = await okServer();
    expect((await open({ cluster: { server: server.url } }).send(get())).status).toBe(200);
    expect(server.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('is whom the token file tells, not an old token beside it, which stands in when the file is gone', async () => {
    const server = await okServer();
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'token'), 'new\n');
    const user = { token: 'old', tokenFile: 'token' };
    await read(await open({ user, cluster: { server: server.url } }, {}, folder).send(get()));
    rmSync(join(folder, 'token'));
    await read(await open({ user, cluster: { server: server.url } }, {}, folder).send(get()));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer new', 'Bearer old']);
  });

  test('is said to be unknown, by the name of the file, when a token file is empty', async () => {
    const server = await okServer();
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'token'), '\n');
    const transport = open({ user: { tokenFile: 'token' }, cluster: { server: server.url } }, {}, folder);
    const { message } = (await failureOf(transport.send(get()))) as Error;
    expect(message).toContain(`${join(folder, 'token')}, the tokenFile of user "u"`);
    expect(server.requests).toEqual([]);
  });

  test('is acted for with groups, uid and attributes, each on a line of its own, and never with less', async () => {
    const server = await okServer();
    const user = {
      token: 't',
      as: 'Jané',
      'as-uid': '7',
      'as-groups': ['dev', 'ops,all'],
      'as-user-extra': { 'Scopes/x%': ['one', 'two'], none: [] },
    };
    await open({ user, cluster: { server: server.url } }).send(get());
    expect(linesOf(server.requests[0], 'impersonate-')).toEqual([
      'impersonate-extra-scopes%2fx%25: one',
      'impersonate-extra-scopes%2fx%25: two',
      'impersonate-group: dev',
      'impersonate-group: ops,all',
      'impersonate-uid: 7',
      `impersonate-user: ${Buffer.from('Jané').toString('latin1')}`,
    ]);
  });

  test('may be somebody else by option, with what the kubeconfig says otherwise, or with nothing but that', async () => {
    const server = await okServer();
    const user = {
      token: 't',
      as: 'jane',
      'as-uid': '7',
      'as-groups': ['dev'],
      'as-user-extra': { a: ['b'] },
    };
    const cluster = { server: server.url };
    const alone = { as: 'bob', asGroups: [], asUid: '', asUserExtra: {} };
    await open({ user, cluster }, { as: 'bob' }).send(get());
    await open({ user, cluster }, { as: 'bob', asGroups: ['x', 'y'] }).send(get());
    await open({ user, cluster }, alone).send(get());
    await open({ cluster }, { as: 'bob' }).send(get());
    expect(server.requests.map((request) => linesOf(request, 'impersonate-'))).toEqual([
      ['impersonate-extra-a: b', 'impersonate-group: dev', 'impersonate-uid: 7', 'impersonate-user: bob'],
      [
        'impersonate-extra-a: b',
        'impersonate-group: x',
        'impersonate-group: y',
        'impersonate-uid: 7',
        'impersonate-user: bob',
      ],
      ['impersonate-user: bob'],
      ['impersonate-user: bob'],
    ]);
  });

  test.each<[object, LoadKubeConfigOptions]>([
    [{ 'as-groups': ['dev'] }, {}],
    [{ 'as-uid': '7' }, {}],
    [{ 'as-user-extra': { a: ['b'] } }, {}],
    [{}, { asGroups: ['dev'] }],
  ])('can not be groups, a uid or attributes of nobody: %j %j', (user, options) => {
    const cluster = { server: 'https://c' };
    expect(() => open({ user: { token: 't', ...user }, cluster }, options)).toThrow('but as nobody');
  });

  test('is one of them, not two: what kubectl refuses is refused with both keys named and no secret', () => {
    const refused = (user: object): string => {
      try {
        open({ user, cluster: { server: 'https://c' } });
      } catch (error) {
        expect(inspect(error, { showHidden: true })).not.toContain('s3cret');
        return (error as Error).message;
      }
      return expect.fail('expected a refusal');
    };
    const pem = Buffer.from('s3cret').toString('base64');
    expect(refused({ token: 's3cret', username: 'a', password: 's3cret' })).toContain('token and username');
    expect(refused({ 'client-certificate': '/x', 'client-certificate-data': pem })).toContain(
      'client-certificate and client-certificate-data',
    );
    expect(refused({ 'client-certificate-data': pem })).toContain('without client-key or client-key-data');
    expect(refused({ 'client-certificate': '/nope', 'client-key-data': pem })).toContain(
      'could not read /nope, the client-certificate of user "u"',
    );
    expect(refused({ tokenFile: '/nope' })).toContain('could not read /nope, the tokenFile of user "u"');
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'x', interactiveMode: 'Never' };
    expect(refused({ exec, 'auth-provider': { name: 'oidc' } })).toContain('exec and auth-provider');
    expect(refused({ exec: { ...exec, command: '' } })).toContain('exec without a command');
    expect(refused({ exec: { ...exec, apiVersion: 'client.authentication.k8s.io/v1alpha1' } })).toContain(
      'exec.apiVersion for the credential plugin "x"',
    );
    expect(refused({ exec: { ...exec, interactiveMode: undefined } })).toContain('exec.interactiveMode');
    expect(refused({ exec: { ...exec, env: [{ value: 's3cret' }] } })).toContain(
      'without a name in exec.env',
    );
  });
});

describe('which server it is', () => {
  let root: CertificateAuthority;
  let intermediate: CertificateAuthority;
  beforeAll(() => {
    root = createAuthority('root');
    intermediate = root.delegate('intermediate');
  });
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  test('is proven to an authority that is itself signed by another one', async () => {
    const server = await serve((_, response) => answer(response, 200, {}), intermediate.issue('server'));
    const cluster = { server: server.url, 'certificate-authority-data': base64(intermediate.cert) };
    expect((await open({ cluster }).send(get())).status).toBe(200);
    const stranger = { ...cluster, 'certificate-authority-data': base64(root.delegate('another').cert) };
    const { message } = (await failureOf(open({ cluster: stranger }).send(get()))) as Error;
    expect(message).toContain('signed by an authority that the kubeconfig does not name');
  });

  test('goes by the name in tls-server-name', async () => {
    const names: unknown[] = [];
    const server = await serve(
      (request, response) => {
        names.push((request.socket as TLSSocket).servername);
        answer(response, 200, {});
      },
      root.issue('server', 'api.internal'),
    );
    const cluster = { server: server.url, 'certificate-authority-data': base64(root.cert) };
    const { message } = (await failureOf(open({ cluster }).send(get()))) as Error;
    expect(message).toContain('its certificate is for another name');
    const named = { ...cluster, 'tls-server-name': 'api.internal', 'disable-compression': true };
    expect((await open({ cluster: named }).send(get())).status).toBe(200);
    expect(names).toEqual(['api.internal']);
  });

  test('is not told by an authority that is none, or is contradicted', async () => {
    const cluster = { server: 'https://127.0.0.1:1' };
    const none = { ...cluster, 'certificate-authority-data': base64('nothing') };
    const { message } = (await failureOf(open({ cluster: none }).send(get()))) as Error;
    expect(message).toContain('certificate-authority-data of cluster "c"');
    expect(() => open({ cluster: { ...none, 'insecure-skip-tls-verify': true } })).toThrow(
      'both certificate-authority-data and insecure-skip-tls-verify',
    );
    expect(() => open({ cluster: { ...none, 'certificate-authority': 'ca' } })).toThrow(
      'both certificate-authority and certificate-authority-data',
    );
    expect(() => open({ cluster: { ...cluster, 'certificate-authority': '/nope' } })).toThrow(
      'could not read /nope, the certificate-authority of cluster "c"',
    );
    expect(() => open({ cluster: { ...cluster, 'proxy-url': 'ftp://me:s3cret@x' } })).toThrow(
      /^expected proxy-url of cluster "c" of the kubeconfig \S+ to be an http, https or socks5 URL$/,
    );
  });

  test('is still the one of the beginning when the file turns to another context meanwhile', async () => {
    const server = await okServer();
    const folder = temporaryFolder();
    const path = join(folder, 'config');
    const write = (current: string): void =>
      writeFileSync(
        path,
        JSON.stringify({
          'current-context': current,
          contexts: ['a', 'b'].map((name) => ({ name, context: { cluster: name, user: name } })),
          clusters: ['a', 'b'].map((name) => ({ name, cluster: { server: server.url } })),
          users: ['a', 'b'].map((name) => ({ name, user: { token: name } })),
        }),
      );
    write('a');
    const time = new ManualClock();
    const transport = connectTo(loadKubeConfig({ path }), { clock: time });
    await read(await transport.send(get()));
    write('b');
    await time.advance(61_000);
    await read(await transport.send(get()));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer a', 'Bearer a']);
  });
});
