// What tests over real connections share: things that end with the test, and short ways to read and to fail.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { expect, onTestFinished } from 'vitest';
import { KubernetesClient } from '../kubernetes/client.ts';
import type { Transport, TransportRequest, TransportResponse } from '../kubernetes/transport.ts';
import { createTransport, type TransportOptions } from '../kubernetes/undici-transport.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import type { ManualClock } from './manual-clock.ts';
import { type Script, ScriptedServer, type ServerTls } from './scripted-server.ts';

export async function serve(script: Script, tls?: ServerTls): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(script, tls);
  onTestFinished(() => server.close());
  return server;
}

export function connectTo(config: KubeConfig, options?: TransportOptions): Transport {
  const transport = createTransport(config, options);
  onTestFinished(() => transport.close());
  return transport;
}

export async function clientOf(
  script: Script,
  clock: Clock = systemClock,
): Promise<{ client: KubernetesClient; server: ScriptedServer }> {
  const server = await serve(script);
  const transport = connectTo(server.kubeConfig());
  return { client: new KubernetesClient({ transport, clock, random: { next: () => 0 } }), server };
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wire-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function get(overrides: Partial<TransportRequest> = {}): TransportRequest {
  return { method: 'GET', path: '/api/v1/nodes', signal: new AbortController().signal, ...overrides };
}

export async function read(response: TransportResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.fail('expected a failure'),
    (error: unknown) => error,
  );
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Moves virtual time on while real sockets do their work, until `work` settles. */
export async function during<T>(clock: ManualClock, work: Promise<T>, stepMs = 500): Promise<T> {
  let settled = false;
  const done = (): void => {
    settled = true;
  };
  work.then(done, done);
  while (!settled) {
    await clock.advance(stepMs);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return work;
}
