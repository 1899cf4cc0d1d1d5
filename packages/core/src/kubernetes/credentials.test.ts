import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { answer } from '../testing/scripted-server.ts';
import { connectTo, failureOf, get, read, serve, temporaryFolder } from '../testing/wire.ts';
import { loadKubeConfig } from './kube-config.ts';
import type { Transport } from './transport.ts';

describe('credentials', () => {
  test('a 401 refreshes them once and repeats the request once', async () => {
    const file = join(temporaryFolder(), 'token');
    writeFileSync(file, 'old\n');
    const server = await serve((request, response) => {
      writeFileSync(file, 'new');
      const ok = request.headers.authorization === 'Bearer new';
      answer(response, ok ? 200 : 401, { ok });
    });
    const user = { authProvider: { name: 'tokenFile', config: { tokenFile: file } } };
    const sends: string[] = [];
    const transport = connectTo(server.kubeConfig(user));
    const response = await transport.send(get({ beforeSend: () => void sends.push('sent') }));
    expect(response.status).toBe(200);
    expect(await read(response)).toBe('{"ok":true}');
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
    expect(sends).toHaveLength(2);
  });

  test('a server that refuses everything is not asked twice for every request', async () => {
    const server = await serve((_, response) => answer(response, 401, {}));
    const transport = connectTo(server.kubeConfig());
    for (let i = 0; i < 5; i++) expect((await transport.send(get())).status).toBe(401);
    expect(server.requests).toHaveLength(6);
  });

  test('a rotated token file is read again after a minute, not before', async () => {
    const file = join(temporaryFolder(), 'token');
    writeFileSync(file, 'one');
    const clock = new ManualClock();
    const server = await serve((_, response) => answer(response, 200, {}));
    const user = { authProvider: { name: 'tokenFile', config: { tokenFile: file } } };
    const transport = connectTo(server.kubeConfig(user), { clock });
    await read(await transport.send(get()));
    writeFileSync(file, 'two');
    await clock.advance(59_000);
    await read(await transport.send(get()));
    await clock.advance(2000);
    await read(await transport.send(get()));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer one',
      'Bearer one',
      'Bearer two',
    ]);
  });

  test('a file that is missing for a moment does not stop what works', async () => {
    const file = join(temporaryFolder(), 'token');
    writeFileSync(file, 'one');
    const clock = new ManualClock();
    const server = await serve((_, response) => answer(response, 200, {}));
    const user = { authProvider: { name: 'tokenFile', config: { tokenFile: file } } };
    const transport = connectTo(server.kubeConfig(user), { clock });
    await read(await transport.send(get()));
    rmSync(file);
    await clock.advance(61_000);
    expect((await transport.send(get())).status).toBe(200);
    writeFileSync(file, 'two');
    await clock.advance(10_000);
    await read(await transport.send(get()));
    expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer two');
  });

  test("a kubeconfig's own tokenFile is read again, too", async () => {
    const folder = temporaryFolder();
    const tokenFile = join(folder, 'token');
    const server = await serve((_, response) => answer(response, 200, {}));
    writeFileSync(tokenFile, 'one');
    writeFileSync(
      join(folder, 'config'),
      JSON.stringify({
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster: { server: server.url } }],
        users: [{ name: 'u', user: { tokenFile } }],
      }),
    );
    const clock = new ManualClock();
    const transport = connectTo(loadKubeConfig({ path: join(folder, 'config') }), { clock });
    await read(await transport.send(get()));
    writeFileSync(tokenFile, 'two');
    await clock.advance(61_000);
    await read(await transport.send(get()));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer two']);
  });

  test('an exec plugin runs once for many requests at once, and again only when refused', async () => {
    const folder = temporaryFolder();
    const log = join(folder, 'runs');
    const script =
      'import { appendFileSync, readFileSync } from "node:fs";' +
      `appendFileSync(${JSON.stringify(log)}, "x");` +
      `const run = readFileSync(${JSON.stringify(log)}, "utf8").length;` +
      'console.log(JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token: "run-" + run } }));';
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['--input-type=module', '-e', script],
    };
    let accepted = 'Bearer run-1';
    const server = await serve((request, response) => {
      answer(response, request.headers.authorization === accepted ? 200 : 401, {});
    });
    const clock = new ManualClock();
    const transport = connectTo(server.kubeConfig({ exec }), { clock });
    const first = await Promise.all([1, 2, 3].map(() => transport.send(get())));
    expect(first.map(({ status }) => status)).toEqual([200, 200, 200]);
    await clock.advance(61_000);
    expect((await transport.send(get())).status).toBe(200);
    accepted = 'Bearer run-2';
    expect((await transport.send(get())).status).toBe(200);
    expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer run-2');
  });

  test('a plugin that fails or babbles is one sentence without a word of what it printed', async () => {
    const server = await serve(() => undefined);
    const plugin = (script: string): Transport =>
      connectTo(
        server.kubeConfig({
          exec: {
            apiVersion: 'client.authentication.k8s.io/v1',
            command: process.execPath,
            args: ['-e', script],
          },
        }),
      );
    const babble = await failureOf(plugin('console.log("s3cret-token")').send(get()));
    expect(babble).toMatchObject({ name: 'TransportError', sent: false });
    expect((babble as Error).message).toContain('did not print an ExecCredential');
    expect(inspect(babble, { depth: 10 })).not.toContain('s3cret');
    const failed = await failureOf(plugin('console.error("please log in"); process.exit(1)').send(get()));
    expect(failed).toMatchObject({ name: 'TransportError', sent: false });
    expect((failed as Error).message).toMatch(
      /^could not get credentials for http\S+: the credential plugin ".+" of user "user" .+ failed with exit code 1: please log in$/,
    );
  });

  test('a plugin that never answers fails the request after half a minute', async () => {
    const server = await serve(() => undefined);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sleep', args: ['3'] };
    const clock = new ManualClock();
    const pending = failureOf(connectTo(server.kubeConfig({ exec }), { clock }).send(get()));
    await clock.advance(30_000);
    expect((await pending) as Error).toMatchObject({ name: 'TransportError', sent: false });
  });

  test('neither token nor password ever shows in an error', async () => {
    const server = await serve((request) => void request.socket.destroy());
    const user = { username: 'admin', password: 'hunter2', token: 's3cret' };
    const error = await failureOf(connectTo(server.kubeConfig(user)).send(get()));
    expect(server.requests).toHaveLength(1);
    const shown = inspect(error, { depth: 10, showHidden: true });
    expect(shown).not.toContain('s3cret');
    expect(shown).not.toContain('hunter2');
    expect(shown).not.toContain(Buffer.from('admin:hunter2').toString('base64'));
  });
});
