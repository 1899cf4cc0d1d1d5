// The life of one agent process: from a checked configuration to the hand-over of leadership.
import {
  Controller,
  connect,
  createStatusStore,
  createTransport,
  kubeletProbe,
  LeadershipLostError,
  systemClock,
  type Transport,
} from '@liberator/core';
import { explained, loadNamedKubeConfig } from '../cluster/callers-cluster.ts';
import type { ClusterFlags } from '../cluster/flags.ts';
import type { Config } from '../config/config.ts';
import { controllerSettings } from '../config/controller-settings.ts';
import { ConfigError } from '../config/read-config.ts';
import { buildFencers } from '../fencers/build-fencers.ts';
import { guardNamespaces } from '../fencers/watchdog.ts';
import { AgentHealth } from '../http/health.ts';
import { startHttpServer } from '../http/server.ts';
import { Recorder } from '../journal/recorder.ts';
import { logController } from '../log/controller-log.ts';
import type { Logger } from '../log/logger.ts';
import { Repetition } from '../log/repetition.ts';
import { Metrics } from '../metrics/metrics.ts';
import { exitCode } from '../process/exit-code.ts';
import { codeOf, FatalError, sentenceOf } from '../process/failure.ts';
import { onStopSignals } from '../process/signals.ts';
import { version } from '../process/version.ts';
import { otherReplicas } from './other-replicas.ts';
import { preflight } from './preflight.ts';

export interface RunAgentOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Without a kubeconfig: the service account of the pod. */
  readonly cluster: ClusterFlags;
  /** How long to wait at the start for an API server that does not answer. */
  readonly startupTimeoutMs: number;
}

/**
 * Runs until SIGTERM or SIGINT, and then until leadership is handed over.
 *
 * @throws {@link FatalError} for everything else that ends it.
 */
export async function runAgent(options: RunAgentOptions): Promise<void> {
  const { config, logger } = options;
  const { namespace, identity } = config;
  const { election, ...settings } = controllerSettings(config);
  logStart(config, logger);
  using stop = onStopSignals((signal) => {
    logger.log('info', { event: 'stopping', signal }, `${signal}: handing over leadership and stopping`);
  });
  await using connections = openConnections(options.cluster, identity);
  const { transport } = connections;
  const connection = connect({ ...connections, namespace, election, identity });

  const metrics = new Metrics(version, config.mode);
  await using recorder = await openRecorder(config, logger);
  const probe = metrics.countProbes(kubeletProbe({ timeoutMs: config.probe.timeout }));
  const self = otherReplicas(
    { reader: connection.reader, namespace, fleet: () => controller.fleet },
    process.env,
  );
  const controller: Controller = construct(
    () =>
      new Controller({
        ...settings,
        ...connection,
        fencers: buildFencers(config.fencers, { reader: connection.reader, transport }),
        election,
        ...(self && { self }),
        status: createStatusStore({ transport, namespace, election }),
        ...(config.probe.enabled && { probe }),
        ...(recorder && { onFact: (fact, at) => recorder.note(fact, at) }),
      }),
  );
  recorder?.begin(controller);
  logController(controller, logger);
  metrics.watch(controller);
  const health = new AgentHealth(controller, stop.signal, () => systemClock.now());

  await using server = await startHttpServer({ ...config.http, health, registry: metrics.registry });
  const { address } = config.http;
  const { port } = server;
  logger.log('info', { event: 'listening', address, port }, `listening on ${address}:${port}`);

  await preflight({
    reader: connection.reader,
    transport,
    namespace,
    election,
    mode: config.mode,
    guardNamespaces: guardNamespaces(config.fencers),
    networkFence: Object.values(config.fencers).some(({ driver }) => driver === 'networkFence'),
    timeoutMs: options.startupTimeoutMs,
    signal: stop.signal,
    onWait: waitingLog(logger),
  });
  if (!stop.signal.aborted) {
    health.begin();
    await control(controller, stop.signal);
  }
  logger.log('info', { event: 'stopped' }, 'stopped');
}

async function openRecorder({ journal }: Config, logger: Logger): Promise<Recorder | undefined> {
  const { file, size, keep } = journal;
  if (file === undefined) return undefined;
  return Recorder.open({
    file,
    size,
    keep,
    program: version,
    onGap: (facts) => {
      const sentence = `${facts} facts are missing in the journal: they came faster than ${file} could be written`;
      logger.log('warn', { event: 'journal', file, facts }, sentence);
    },
    onEnd: (error) => {
      const sentence = `nothing is recorded any more, the agent goes on: could not write ${file}: ${sentenceOf(error)}`;
      logger.log('warn', { event: 'journal', file }, sentence);
    },
  });
}

interface Connections extends AsyncDisposable {
  readonly transport: Transport;
  readonly leaseTransport: Transport;
}

/** The identity is sent with each request, so that the API server's audit log tells replicas apart. */
function openConnections(cluster: ClusterFlags, identity: string): Connections {
  const kubeConfig = loadNamedKubeConfig(cluster);
  const transport = explained(() => createTransport(kubeConfig, { purpose: identity }));
  const leaseTransport = createTransport(kubeConfig, { purpose: `${identity}, lease` });
  return {
    transport,
    leaseTransport,
    async [Symbol.asyncDispose]() {
      await Promise.all([transport.close(), leaseTransport.close()]);
    },
  };
}

/** What core refuses is a mistake in the configuration, even if no check of ours knows it. */
function construct(make: () => Controller): Controller {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) throw new ConfigError([error.message], error);
    throw error;
  }
}

async function control(controller: Controller, signal: AbortSignal): Promise<void> {
  try {
    await controller.run(signal);
  } catch (error) {
    if (!(error instanceof LeadershipLostError)) throw error;
    const { message, code } = error;
    throw new FatalError(message, { code, exitCode: exitCode.leadershipLost, cause: error });
  }
}

function logStart({ mode, namespace, election, policies }: Config, logger: Logger): void {
  const names = policies.map(({ name }) => name);
  const fields = { event: 'starting', version, namespace, election: election.name, policies: names } as const;
  const what = mode === 'observe' ? ', observing only: nothing will be done to any node or pod' : '';
  const sentence = `liberator ${version} starts in namespace ${namespace} with policies ${names.join(', ')}${what}`;
  logger.log('info', fields, sentence);
}

function waitingLog(logger: Logger): (error: unknown, retryInMs: number) => void {
  const repeated = new Repetition();
  return (error, retryInMs) => {
    const sentence = `waiting for the API server: ${sentenceOf(error)}`;
    const times = repeated.countToTell(sentence, systemClock.now());
    if (times === 0) return;
    const code = codeOf(error);
    const fields = {
      event: 'waiting',
      retryInMs,
      ...(code !== undefined && { code }),
      ...(times > 1 && { times }),
    } as const;
    logger.log('warn', fields, sentence);
  };
}
