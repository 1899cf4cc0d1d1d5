// The life of one guard: it looks at its device first, guards until it is told to stop, and then disarms in good order.
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import {
  createGuardLeaseStore,
  createTransport,
  type GuardChange,
  type GuardEnd,
  guardLeaseName,
  systemClock,
  WatchdogGuard,
} from '@liberator/core';
import { explained, loadNamedKubeConfig } from '../cluster/callers-cluster.ts';
import type { ClusterFlags } from '../cluster/flags.ts';
import type { ListenAddress } from '../elect/listen-address.ts';
import { type Pages, reportPage, servePages } from '../http/page-server.ts';
import { errorLog } from '../log/error-log.ts';
import { withLastWord } from '../log/last-word.ts';
import { createLogger, type Logger } from '../log/logger.ts';
import { exitCode } from '../process/exit-code.ts';
import { FatalError, sentenceOf } from '../process/failure.ts';
import { onStopSignals } from '../process/signals.ts';
import { lookAtSurroundings } from '../process/surroundings.ts';
import { version } from '../process/version.ts';
import { formatDuration } from '../text/duration.ts';
import { GuardMetrics } from './guard-metrics.ts';
import { LinuxWatchdog } from './linux-watchdog.ts';

export interface GuardFlags extends ClusterFlags {
  /** Absent: `$NODE_NAME`. */
  readonly node?: string;
  readonly device: string;
  /** Milliseconds. */
  readonly grant: number;
  readonly allowSoftwareWatchdog?: boolean;
  readonly sys: string;
  readonly proc: string;
  readonly http: ListenAddress;
  /** Absent: the pod's own. */
  readonly namespace?: string;
}

/** @throws {@link FatalError} for every end but the one that was asked for. */
export async function runGuard(flags: GuardFlags): Promise<void> {
  const { namespace: own, identity } = lookAtSurroundings();
  const node = flags.node ?? process.env['NODE_NAME'];
  const namespace = flags.namespace ?? own;
  if (!node) throw usage('which Node is this machine? Name it with --node, or in $NODE_NAME');
  if (!namespace) throw usage('where do guards keep their Leases? Name it with --namespace');
  const logger = createLogger({ level: 'info', format: 'json' }, identity);
  await withLastWord(logger, () => guardNode({ ...flags, node, namespace, identity, logger }));
}

interface Surroundings extends GuardFlags {
  readonly node: string;
  readonly namespace: string;
  readonly identity: string;
  readonly logger: Logger;
}

async function guardNode(around: Surroundings): Promise<void> {
  const { node, namespace, identity, grant, http, logger } = around;
  const device = new LinuxWatchdog({
    device: around.device,
    sys: around.sys,
    allowSoftware: around.allowSoftwareWatchdog === true,
  });
  logStart(around, device);
  using stop = onStopSignals((signal) => {
    logger.log(
      'info',
      { event: 'stopping', signal },
      `${signal}: disarming the watchdog, if possible, and stopping`,
    );
  });
  const kubeConfig = loadNamedKubeConfig(around);
  await using transport = closing(explained(() => createTransport(kubeConfig, { purpose: identity })));
  const logError = errorLog(logger, systemClock);
  const guard = new WatchdogGuard({
    store: createGuardLeaseStore({ transport, namespace, node, identity }),
    device,
    grantMs: grant,
    node,
    bootId: bootIdIn(around.proc),
    deviceName: device.name,
    // CLOCK_BOOTTIME, which goes on while the machine is suspended.
    clocks: [() => uptime() * 1_000],
    onChange: (change) => logChange(change, around, device),
    onError: (error) => {
      metrics.failed();
      logError({ where: 'guard', error });
    },
  });
  const metrics = new GuardMetrics({ node, version, guard });
  await using server = await servePages({ ...http, setting: '--http', pages: pagesOf(guard, metrics) });
  const { address } = http;
  const { port } = server;
  logger.log('info', { event: 'listening', address, port }, `listening on ${address}:${port}`);
  const end = await guard.run(stop.signal);
  tellEnd(end, guard, around);
}

function bootIdIn(proc: string): string {
  const path = join(proc, 'sys/kernel/random/boot_id');
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new FatalError(`could not read which boot this is: ${sentenceOf(error)}`, {
      code: 'LIBERATOR_BOOT_ID',
      exitCode: exitCode.failed,
      cause: error,
    });
  }
}

function pagesOf(guard: WatchdogGuard, metrics: GuardMetrics): Pages {
  return {
    // To restart a guard that feeds no more helps nobody: that it answers is all that is asked.
    '/healthz': () => reportPage({ ok: true, lines: ['ok: it answers'] }),
    '/readyz': () => {
      const { state, remainingMs } = guard;
      const ok = state !== undefined && state !== 'arming' && remainingMs > 0;
      const line = `${state ?? 'nobody has answered yet'}, renewed for ${formatDuration(Math.round(remainingMs / 1_000) * 1_000)}`;
      return reportPage({ ok, lines: [`${ok ? 'ok' : 'failed'}: ${line}`] });
    },
    '/metrics': async () => ({
      status: 200,
      contentType: metrics.registry.contentType,
      body: await metrics.registry.metrics(),
    }),
  };
}

function logStart(
  { node, namespace, grant, device: file, logger }: Surroundings,
  device: LinuxWatchdog,
): void {
  const { timeoutMs, identity, canDisarm } = device.settings();
  const fields = {
    event: 'starting',
    version,
    namespace,
    node,
    grantMs: grant,
    timeoutMs,
    canDisarm,
  } as const;
  const sentence =
    `liberator ${version} guards node ${node} by ${file} (${identity}, resets after ${formatDuration(timeoutMs)}) ` +
    `under Lease ${namespace}/${guardLeaseName(node)}, each renewal of which is good for ${formatDuration(grant)}`;
  logger.log('info', fields, sentence);
}

function logChange({ change }: GuardChange, { node, logger }: Surroundings, device: LinuxWatchdog): void {
  const [level, sentence] = wordsOf(change, device.name);
  logger.log(level, { event: 'guard', node, change }, sentence);
}

function wordsOf(
  change: GuardChange['change'],
  device: string,
): readonly ['info' | 'warn' | 'error', string] {
  switch (change) {
    case 'arming':
      return ['info', `the API server answers, so ${device} may be armed`];
    case 'armed':
      return ['info', `${device} is armed, and fed for as long as the API server answers`];
    case 'released':
      return ['info', `nobody relies on ${device} any more, so it may be disarmed`];
    case 'starving':
      return [
        'error',
        `the API server has not answered in time: ${device} is fed no more, and resets this machine`,
      ];
    case 'fed-again':
      return ['warn', `the API server answers again, and ${device} is fed again`];
    case 'fed-late':
      return ['error', `this process was stopped right before it fed ${device}: it has let go of it`];
    case 'cannot-disarm':
      return ['warn', `${device} was to be switched off and can't be disarmed (nowayout), so it is fed on`];
  }
}

function tellEnd(end: GuardEnd, guard: WatchdogGuard, { device, logger }: Surroundings): void {
  const { timeoutMs, canDisarm } = guard.settings;
  const fate = `${device} runs on, and resets this machine unless the next guard feeds it within ${formatDuration(timeoutMs)}`;
  if (end === 'armed' && canDisarm) {
    throw new FatalError(`could not tell the API server that ${device} is to be disarmed, so ${fate}`, {
      code: 'LIBERATOR_GUARD_ARMED',
      exitCode: exitCode.failed,
    });
  }
  logger.log(
    end === 'armed' ? 'warn' : 'info',
    { event: 'stopped' },
    end === 'armed' ? `stopped; ${fate}` : 'stopped; nothing is armed',
  );
}

function usage(message: string): FatalError {
  return new FatalError(message, { code: 'LIBERATOR_USAGE', exitCode: exitCode.usage });
}

function closing<T extends { close(): Promise<void> }>(resource: T): T & AsyncDisposable {
  return Object.assign(resource, { [Symbol.asyncDispose]: () => resource.close() });
}
