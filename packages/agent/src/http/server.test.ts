import { describe, expect, it } from 'vitest';
import { Metrics } from '../metrics/metrics.ts';
import type { HealthReport } from './health.ts';
import type { RunningHttpServer } from './page-server.ts';
import { startHttpServer } from './server.ts';

function start(ready: HealthReport, port = 0): Promise<RunningHttpServer> {
  const health = { liveness: () => ({ ok: true, lines: ['ok: alive'] }), readiness: () => ready };
  return startHttpServer({ address: '127.0.0.1', port, health, registry: new Metrics('1.2.3').registry });
}

const ready: HealthReport = { ok: true, lines: ['ok: ready'] };

describe('the pages', () => {
  it('answer 200 or 503, and say what was looked at', async () => {
    await using server = await start({ ok: false, lines: ['ok: one', 'failed: another'] });
    const url = `http://127.0.0.1:${server.port}`;
    const alive = await fetch(`${url}/healthz`);
    expect([alive.status, await alive.text()]).toEqual([200, 'ok: alive\n']);
    const unready = await fetch(`${url}/readyz?verbose`);
    expect([unready.status, await unready.text()]).toEqual([503, 'ok: one\nfailed: another\n']);
    expect(unready.headers.get('cache-control')).toBe('no-store');
  });

  it('have the metrics in the format of Prometheus', async () => {
    await using server = await start(ready);
    const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    expect(text).toContain('liberator_build_info{version="1.2.3"} 1');
    expect(text).toContain('process_cpu_seconds_total');
  });

  it('are three; everything else is not found, and nothing can be changed', async () => {
    await using server = await start(ready);
    const url = `http://127.0.0.1:${server.port}`;
    const lost = await fetch(`${url}/toString`);
    expect([lost.status, await lost.text()]).toEqual([
      404,
      'There is nothing here; there are /healthz, /readyz, /metrics.\n',
    ]);
    expect((await fetch(`${url}/healthz`, { method: 'POST' })).status).toBe(405);
    const head = await fetch(`${url}/readyz`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('fail with a sentence when the port is taken', async () => {
    await using server = await start(ready);
    await expect(start(ready, server.port)).rejects.toThrow(
      `could not listen on 127.0.0.1:${server.port} for /healthz, /readyz and /metrics: ` +
        'the port is already in use; set http.port',
    );
  });

  it('are gone, with all connections, once the server is disposed', async () => {
    const server = await start(ready);
    const url = `http://127.0.0.1:${server.port}/healthz`;
    await (await fetch(url)).text();
    await server[Symbol.asyncDispose]();
    await expect(fetch(url)).rejects.toThrow();
  });
});
