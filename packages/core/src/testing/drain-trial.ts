// Drains on a small cluster in memory, in virtual time, with everything that they told.
import { type Drained, type DrainOptions, drain } from '../maintenance/drain.ts';
import type { MaintenanceError } from '../maintenance/errors.ts';
import type { DrainProgress } from '../maintenance/progress.ts';
import { maintenanceAnnotation, readMark } from '../marks/maintenance.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryMaintenance } from './memory-maintenance.ts';

/** A cluster, and drains of its `node-1`. */
export interface Trial {
  readonly clock: ManualClock;
  readonly cluster: MemoryMaintenance;
  readonly heard: DrainProgress[];
  readonly stop: AbortController;
  begin(options?: Partial<DrainOptions>): Promise<Drained | MaintenanceError | Error>;
  /** `phase: detail` of a pod, in the order in which they were told. */
  storyOf(pod: string): readonly string[];
  mark(): ReturnType<typeof readMark>;
}

export function startTrial(): Trial {
  const clock = new ManualClock({ turns: 8 });
  const cluster = new MemoryMaintenance(clock);
  const heard: DrainProgress[] = [];
  const stop = new AbortController();
  return {
    clock,
    cluster,
    heard,
    stop,
    begin: (options = {}) =>
      drain({
        cluster,
        node: 'node-1',
        by: 'alice@laptop',
        signal: stop.signal,
        onProgress: (progress) => heard.push(progress),
        clock,
        random: { next: () => 0 },
        ...options,
      }).catch((error: Error) => error),
    storyOf: (name) =>
      heard.flatMap((one) =>
        one.type === 'pod' && one.pod.name === name ? [`${one.phase}: ${one.detail}`] : [],
      ),
    mark: () => readMark(cluster.nodes.get('node-1')?.metadata.annotations?.[maintenanceAnnotation]),
  };
}
