// The three pages that the surroundings of the agent ask for: /healthz, /readyz and /metrics.
import type { Registry } from 'prom-client';
import type { AgentHealth } from './health.ts';
import { type RunningHttpServer, reportPage, servePages } from './page-server.ts';

export interface HttpServerOptions {
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  readonly health: Pick<AgentHealth, 'liveness' | 'readiness'>;
  readonly registry: Pick<Registry, 'metrics' | 'contentType'>;
}

/** @throws FatalError when the address can't be listened on. */
export function startHttpServer(options: HttpServerOptions): Promise<RunningHttpServer> {
  const { address, port, health, registry } = options;
  return servePages({
    address,
    port,
    setting: 'http.port',
    pages: {
      '/healthz': () => reportPage(health.liveness()),
      '/readyz': () => reportPage(health.readiness()),
      '/metrics': async () => ({
        status: 200,
        contentType: registry.contentType,
        body: await registry.metrics(),
      }),
    },
  });
}
