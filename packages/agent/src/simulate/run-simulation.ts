// `liberator simulate`: what would become of a cluster if nodes died, from what it is like now. Touches nothing.
import {
  configMaps,
  createReader,
  isForbidden,
  isNotFound,
  type KubernetesReader,
  type SimulatedDeaths,
  simulateDeaths,
} from '@liberator/core';
import { openCallersCluster } from '../cluster/callers-cluster.ts';
import { type Place, type PlaceFlags, placeOf } from '../cluster/place.ts';
import type { Config } from '../config/config.ts';
import { controllerSettings } from '../config/controller-settings.ts';
import { parseConfig, readConfig } from '../config/read-config.ts';
import { exitCode } from '../process/exit-code.ts';
import { FatalError } from '../process/failure.ts';
import { json, lines, widthOf } from '../text/output.ts';
import type { OutputFlags } from '../text/output-option.ts';
import { nodesToKill } from './kill-list.ts';
import { type ClusterRead, readCluster } from './read-cluster.ts';
import { simulationText } from './simulation-text.ts';

export interface SimulateFlags extends PlaceFlags, OutputFlags {
  readonly kill: readonly string[];
  readonly config?: string;
  readonly stopKubelet?: boolean;
  readonly confirmAfter?: number;
  readonly for: number;
}

/** As the chart calls it. */
const configMapName = 'liberator';
const configKey = 'liberator.yaml';

/** @throws {@link FatalError} for nodes that aren't there, and without a configuration. */
export async function runSimulation(flags: SimulateFlags): Promise<void> {
  const transport = openCallersCluster(flags, 'liberator simulate');
  try {
    const reader = createReader({ transport });
    const { config, origin } = await configOf(flags, reader);
    const place = placeOf(flags, {
      namespace: config.namespace,
      election: { namespace: config.namespace, name: config.election.name },
    });
    const { leaseDuration, retryPeriod } = config.election;
    const read = await readCluster(reader, place, leaseDuration + retryPeriod);
    const killed = nodesToKill(flags.kill, read.cluster.nodes);
    const found = simulate(read, killed, config, flags);
    const how = flags.stopKubelet === true ? 'stop-kubelet' : 'crash';
    if (flags.output === 'json') {
      const { unread, paused } = read;
      const head = { version: 1, ...place, config: origin, killed, how, forMs: flags.for, unread, paused };
      process.stdout.write(json({ ...head, ...found }, 2));
      return;
    }
    const about = {
      ...found,
      killed,
      how,
      of: read.cluster.nodes.length,
      unread: read.unread,
      origin,
    } as const;
    process.stdout.write(lines(simulationText(about, widthOf(process.stdout))));
  } finally {
    await transport.close();
  }
}

function simulate(
  { cluster, onRecord, paused, leader }: ClusterRead,
  kill: readonly string[],
  config: Config,
  flags: SimulateFlags,
): SimulatedDeaths {
  const { policies, sight } = controllerSettings(config);
  const { enabled, interval, timeout } = config.probe;
  return simulateDeaths({
    cluster,
    policies,
    ...(sight && { sight }),
    probe: enabled && { intervalMs: interval, timeoutMs: timeout },
    takeovers: onRecord.records,
    setAside: onRecord.unreadable,
    paused,
    leader,
    kill,
    how: flags.stopKubelet === true ? 'stop-kubelet' : 'crash',
    confirmAfterMs: flags.confirmAfter,
    forMs: flags.for,
  });
}

/** By a file, or as the agents of the installation have it. */
async function configOf(
  flags: SimulateFlags,
  reader: KubernetesReader,
): Promise<{ readonly config: Config; readonly origin: string }> {
  const place = placeOf(flags);
  const surroundings = { namespace: place.namespace, identity: 'liberator-simulate' };
  if (flags.config !== undefined) {
    return { config: readConfig(flags.config, surroundings).config, origin: flags.config };
  }
  const origin = `ConfigMap ${place.namespace}/${configMapName}`;
  return { config: parseConfig(await installedConfig(reader, place), origin, surroundings).config, origin };
}

async function installedConfig(reader: KubernetesReader, { namespace }: Place): Promise<string> {
  const advice = `say with --config which one to decide by, or with --namespace where Liberator is`;
  try {
    const { data } = await reader.get(configMaps, { namespace, name: configMapName });
    const text = data?.[configKey];
    if (text !== undefined) return text;
    throw missing(`ConfigMap ${namespace}/${configMapName} has no ${configKey}: ${advice}`);
  } catch (error) {
    if (isNotFound(error))
      throw missing(
        `found no configuration: there is no ConfigMap ${namespace}/${configMapName}; ${advice}`,
        error,
      );
    if (isForbidden(error))
      throw missing(
        `found no configuration: you may not get ConfigMap ${namespace}/${configMapName}; ${advice}`,
        error,
      );
    throw error;
  }
}

function missing(message: string, cause?: unknown): FatalError {
  return new FatalError(message, { code: 'LIBERATOR_CONFIG', exitCode: exitCode.usage, cause });
}
