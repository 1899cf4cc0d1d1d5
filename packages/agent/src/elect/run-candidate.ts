// The life of one sidecar: it listens first, stands for election until it is told to stop, and then lets go in order.
import {
  createLeaseStore,
  createTransport,
  isNotFound,
  type LeadershipLostError,
  systemClock,
} from '@liberator/core';
import { explained, loadNamedKubeConfig } from '../cluster/callers-cluster.ts';
import type { ClusterFlags } from '../cluster/flags.ts';
import { type Pages, reportPage, servePages } from '../http/page-server.ts';
import { errorLog } from '../log/error-log.ts';
import { withLastWord } from '../log/last-word.ts';
import { createLogger, type Logger } from '../log/logger.ts';
import { sentenceOf } from '../process/failure.ts';
import { onStopSignals } from '../process/signals.ts';
import { version } from '../process/version.ts';
import { Candidacy } from './candidacy.ts';
import { ElectionHealth } from './election-health.ts';
import { ElectionMetrics } from './election-metrics.ts';
import { timingsForTtl } from './election-timings.ts';
import { EventStream } from './event-stream.ts';
import type { ListenAddress } from './listen-address.ts';
import { type Standing, standingJson } from './standing.ts';

export interface ElectFlags extends ClusterFlags {
  readonly election: string;
  readonly id: string;
  /** Absent: the pod's, or that of the kubeconfig's context. */
  readonly electionNamespace?: string;
  /** The same by the name that kubectl has for it. */
  readonly namespace?: string;
  /** Milliseconds. */
  readonly ttl: number;
  readonly http: ListenAddress;
}

type KubeConfig = ReturnType<typeof loadNamedKubeConfig>;

/** @throws {@link FatalError} for every end but the one that was asked for. */
export async function runCandidate(flags: ElectFlags): Promise<void> {
  const kubeConfig = loadNamedKubeConfig(flags, flags.namespace);
  const namespace = flags.electionNamespace ?? namespaceOf(kubeConfig);
  const logger = createLogger({ level: 'info', format: 'json' }, flags.id);
  await withLastWord(logger, () => stand({ ...flags, namespace, kubeConfig, logger }));
}

interface Surroundings extends ElectFlags {
  readonly namespace: string;
  readonly kubeConfig: KubeConfig;
  readonly logger: Logger;
}

async function stand({
  election,
  id,
  namespace,
  ttl,
  http,
  kubeConfig,
  logger,
}: Surroundings): Promise<void> {
  const fields = { event: 'starting', version, namespace, election } as const;
  logger.log(
    'info',
    fields,
    `liberator ${version} stands as ${id} for election ${election} in namespace ${namespace}`,
  );
  using stop = onStopSignals((signal) => {
    logger.log(
      'info',
      { event: 'stopping', signal },
      `${signal}: letting go of the Lease, if held, and stopping`,
    );
  });
  await using transport = closing(explained(() => createTransport(kubeConfig, { purpose: id })));
  const timings = timingsForTtl(ttl);
  const health = new ElectionHealth({ leaseDurationMs: timings.leaseDurationMs, stop: stop.signal });
  const store = health.watching(createLeaseStore({ transport, namespace, name: election }));
  const logError = errorLog(logger, systemClock);

  const candidacy = new Candidacy({
    store,
    identity: id,
    timings,
    onChange: (standing) => {
      metrics.changed(standing);
      stream.publish(standingJson(standing));
      logStanding(standing, logger);
    },
    onLost: (error) => logLoss(error, logger),
    onError: (error) => {
      metrics.failed();
      logError({ where: 'election', error: advised(error, namespace) });
    },
  });
  using stream = new EventStream({ current: () => standingJson(candidacy.look()) });
  const metrics = new ElectionMetrics({
    election: `${namespace}/${election}`,
    version,
    look: () => candidacy.look(),
    readers: () => stream.readers,
  });

  await using server = await servePages({
    ...http,
    setting: '--http',
    pages: pagesOf(candidacy, health, metrics),
    streams: { '/sse': (response) => stream.open(response) },
  });
  const { address } = http;
  const { port } = server;
  logger.log('info', { event: 'listening', address, port }, `listening on ${address}:${port}`);
  await candidacy.run(stop.signal);
  logger.log('info', { event: 'stopped' }, 'stopped');
}

function pagesOf(candidacy: Candidacy, health: ElectionHealth, metrics: ElectionMetrics): Pages {
  const contentType = 'application/json';
  return {
    '/': () => ({ status: 200, contentType, body: `${standingJson(candidacy.look())}\n` }),
    '/leader': () => {
      const standing = candidacy.look();
      return {
        status: standing.isLeader ? 200 : 503,
        contentType,
        body: `${standingJson(standing)}\n`,
      };
    },
    '/healthz': () => reportPage(health.liveness()),
    '/readyz': () => reportPage(health.readiness()),
    '/metrics': async () => ({
      status: 200,
      contentType: metrics.registry.contentType,
      body: await metrics.registry.metrics(),
    }),
  };
}

/** As kubectl does: that of the context, which in a pod is the pod's own, or the one named "default". */
function namespaceOf(kubeConfig: KubeConfig): string {
  return kubeConfig.getContextObject(kubeConfig.getCurrentContext())?.namespace || 'default';
}

function closing<T extends { close(): Promise<void> }>(resource: T): T & AsyncDisposable {
  return Object.assign(resource, { [Symbol.asyncDispose]: () => resource.close() });
}

/** A Lease that isn't there is no error, so what was not found can only be where it should be. */
function advised(error: unknown, namespace: string): unknown {
  if (!isNotFound(error)) return error;
  return new Error(
    `there is no namespace ${namespace}, or no Leases in this cluster: create the namespace, or name another with ` +
      `--election-namespace (${sentenceOf(error)})`,
    { cause: error },
  );
}

function logStanding({ name, isLeader, term }: Standing, logger: Logger): void {
  const fields = {
    event: 'leadership',
    leader: name,
    leading: isLeader,
    ...(isLeader && { epoch: term }),
  } as const;
  const sentence = isLeader ? `leading in term ${term}` : name === '' ? 'nobody leads' : `${name} leads`;
  logger.log('info', fields, sentence);
}

function logLoss(error: LeadershipLostError, logger: Logger): void {
  const fields = { event: 'leadership', leader: '', leading: false, code: error.code } as const;
  logger.log('warn', fields, `${sentenceOf(error)}; standing again`);
}
