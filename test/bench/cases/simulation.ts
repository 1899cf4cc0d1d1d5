// How many hours of a whole cluster the chaos simulation lives through in one second of CPU.
import { createInterface } from 'node:readline';
import { startChild } from '../../processes/child.ts';
import type { Session } from '../session.ts';

export interface SimulationOptions {
  /** The first so many seeds. */
  readonly seeds: number;
}

const program = new URL('simulation-run.ts', import.meta.url).pathname;

/** One line of that program. */
export interface SimulatedCluster {
  readonly seed: number;
  readonly simulatedMs: number;
  readonly cpuMs: number;
}

export async function simulation(
  { say, findings, signal }: Session,
  { seeds }: SimulationOptions,
): Promise<void> {
  say(`simulation: ${seeds} seeds`);
  const child = startChild(process.execPath, ['--conditions=@liberator/source', program, String(seeds)]);
  const onAbort = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', onAbort, { once: true });
  const clusters: SimulatedCluster[] = [];
  if (child.stdout !== null) {
    for await (const line of createInterface({ input: child.stdout })) {
      clusters.push(JSON.parse(line) as SimulatedCluster);
    }
  }
  signal.removeEventListener('abort', onAbort);
  signal.throwIfAborted();
  if (clusters.length !== seeds) throw new Error(`expected ${seeds} clusters, found ${clusters.length}`);
  const hours = ({ simulatedMs }: SimulatedCluster): number => simulatedMs / 3_600_000;
  const seconds = ({ cpuMs }: SimulatedCluster): number => cpuMs / 1_000;
  findings.add(
    { case: 'seeds', figure: 'clusterHoursPerCpuSecond', unit: 'h/s' },
    clusters.map((one) => hours(one) / seconds(one)),
  );
  const sum = (of: (one: SimulatedCluster) => number): number =>
    clusters.reduce((total, one) => total + of(one), 0);
  findings.add({ case: 'all', figure: 'clusterHoursPerCpuSecond', unit: 'h/s' }, [sum(hours) / sum(seconds)]);
}
