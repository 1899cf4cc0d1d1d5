// The life of one agent process: from a checked configuration to the hand-over of leadership.
import {
  Controller,
  connect,
  createTransport,
  KubeConfigError,
  kubeletProbe,
  LeadershipLostError,
  loadKubeConfig,
  systemClock,
} from '@liberator/core';
import type { Config } from '../config/config.ts';
import { controllerSettings } from '../config/controller-settings.ts';
import { ConfigError } from '../config/read-config.ts';
import { formatDuration } from '../duration.ts';
import { exitCode } from '../exit-code.ts';
import { codeOf, FatalError, sentenceOf } from '../failure.ts';
import { AgentHealth } from '../http/health.ts';
import { startHttpServer } from '../http/server.ts';
import { logController } from '../log/controller-log.ts';
import type { Logger } from '../log/logger.ts';
import { Repetition } from '../log/repetition.ts';
import { Metrics } from '../metrics/metrics.ts';
import { version } from '../version.ts';
import { preflight } from './preflight.ts';
import { onStopSignals } from './signals.ts';

export interface RunAgentOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Absent: the service account of the pod. */
  readonly kubeConfigPath: string | undefined;
  /** How long to wait at the start for an API server that does not answer. */
  readonly startupTimeoutMs: number;
}

/** Whoever asks to stop has a limit of its own, a kubelet 30 s by default: better to go while we can still say why. */
const longestStopMs = 15_000;

/**
 * Runs until SIGTERM or SIGINT, and then until leadership is handed over.
 *
 * @throws {@link FatalError} for everything else that ends it.
 */
export async function runAgent(options: RunAgentOptions): Promise<void> {
  const { config, logger } = options;
  const { namespace, identity } = config;
  const settings = controllerSettings(config);
  const kubeConfig = load(options.kubeConfigPath);
  const metrics = new Metrics(version);

  await using cleanUp = new AsyncDisposableStack();
  const transport = cleanUp.adopt(createTransport(kubeConfig, { purpose: identity }), (used) => used.close());
  const leaseTransport = cleanUp.adopt(
    createTransport(kubeConfig, { purpose: `${identity}, lease` }),
    (used) => used.close(),
  );
  const connection = connect({
    transport,
    leaseTransport,
    namespace,
    election: settings.election,
    identity,
  });
  const controller = construct(() => {
    const probe = metrics.countProbes(kubeletProbe({ timeoutMs: config.probe.timeout }));
    return new Controller({ ...settings, ...connection, ...(config.probe.enabled && { probe }) });
  });
  logController(controller, logger);
  metrics.watch(controller);
  const health = new AgentHealth(controller, () => systemClock.now());

  const names = config.policies.map(({ name }) => name);
  const fields = {
    event: 'starting',
    version,
    namespace,
    election: config.election.name,
    policies: names,
  } as const;
  logger.log(
    'info',
    fields,
    `liberator ${version} starts in namespace ${namespace} with policies ${names.join(', ')}`,
  );
  const stop = cleanUp.use(
    onStopSignals((signal) => {
      health.phase = 'stopping';
      logger.log('info', { event: 'stopping', signal }, `${signal}: handing over leadership and stopping`);
      cleanUp.adopt(limitStop(), clearTimeout);
    }),
  );
  const { address } = config.http;
  const { port } = cleanUp.use(
    await startHttpServer({ address, port: config.http.port, health, registry: metrics.registry }),
  );
  logger.log('info', { event: 'listening', address, port }, `listening on ${address}:${port}`);

  const repeated = new Repetition();
  await preflight({
    ...connection,
    transport,
    namespace,
    election: settings.election,
    timeoutMs: options.startupTimeoutMs,
    signal: stop.signal,
    onWait: (error, retryInMs) => {
      const sentence = sentenceOf(error);
      if (repeated.countToTell(sentence, systemClock.now()) === 0) return;
      const code = codeOf(error);
      const waiting = { event: 'waiting', retryInMs, ...(code !== undefined && { code }) } as const;
      logger.log('warn', waiting, `waiting for the API server: ${sentence}`);
    },
  });
  if (!stop.signal.aborted) {
    health.phase = 'running';
    await control(controller, stop.signal);
  }
  logger.log('info', { event: 'stopped' }, 'stopped');
}

function load(path: string | undefined): ReturnType<typeof loadKubeConfig> {
  try {
    return loadKubeConfig({ path });
  } catch (error) {
    if (!(error instanceof KubeConfigError)) throw error;
    throw new FatalError(error.message, { code: error.code, exitCode: exitCode.usage, cause: error });
  }
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
    throw new FatalError(error.message, {
      code: error.code,
      exitCode: exitCode.leadershipLost,
      cause: error,
    });
  }
}

function limitStop(): NodeJS.Timeout {
  return setTimeout(() => {
    const limit = formatDuration(longestStopMs);
    process.stderr.write(`liberator: could not stop in good order within ${limit}, so it ends as it is\n`);
    process.exit(exitCode.failed);
  }, longestStopMs);
}
