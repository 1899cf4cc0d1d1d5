// The report of a drill as text: to read, to mail, to attach to the minutes of a game day.
import type { Recovery } from '../demo/telling/report.ts';
import { duration, seconds, wrap } from '../demo/telling/timeline.ts';

export interface DrillResult {
  readonly recovery: Recovery;
  /** How long a recovery may take; undefined when nobody said. */
  readonly withinMs: number | undefined;
}

/** Whether the drill is passed: the database recovered, on its own volume, and in time. */
export function isPassed({ recovery, withinMs }: DrillResult): boolean {
  const { recovered, sameVolume, timeToRecoveryMs } = recovery;
  const inTime = withinMs === undefined || (timeToRecoveryMs !== null && timeToRecoveryMs <= withinMs);
  return recovered && sameVolume && inTime;
}

/** At most 80 columns wide, without colours. */
export function textReport(result: DrillResult): string {
  const { recovery } = result;
  const { milestones } = recovery;
  const rows: readonly (readonly [string, number | null])[] = [
    [`${recovery.fromNode} loses its power`, 0],
    ['suspected', milestones.suspect],
    ['Kubernetes says NotReady', milestones.notReady],
    ['taken for dead', milestones.dead],
    ['its pod is gone', milestones.oldPodGone],
    ['the replacement is created', milestones.newPodCreated],
    [`scheduled to ${recovery.toNode}`, milestones.newPodScheduled],
    ['Ready', milestones.newPodReady],
    ['the Node is deleted', milestones.nodeDeleted],
  ];
  const told = rows
    .flatMap(([what, at]) => (at === null ? [] : [{ what, at }]))
    .toSorted((a, b) => a.at - b.at);
  return [
    `Failover drill of ${recovery.pod}`,
    '',
    ...wrap(verdictOf(result), 80),
    '',
    'What happened, since the crash',
    ...told.map(({ what, at }) => `  ${seconds(at).padStart(8)}  ${what}`),
    '',
    'The takeover, step by step',
    ...recovery.steps.map(({ step, startMs, durationMs, outcome, detail }) => {
      const took = durationMs === null ? 'unfinished' : duration(durationMs);
      const words = `${outcome === 'skipped' ? 'skipped: ' : ''}${detail}`;
      const [first = '', ...others] = wrap(words, 46);
      const head = `  ${seconds(startMs).padStart(8)}  ${step.padEnd(9)}${took.padStart(10)}  ${first}`;
      return [head, ...others.map((row) => ' '.repeat(33) + row)].join('\n').replaceAll(/ +$/gm, '');
    }),
    '',
    `${recovery.deletes} Node deleted since the crash, by the API server's audit log.`,
    `On ${recovery.cluster === 'real' ? 'a real control plane' : 'the embedded cluster'}, Kubernetes ${recovery.kubernetes}${
      recovery.changedTimers.length === 0 ? '' : `, with changed timers: ${recovery.changedTimers.join(', ')}`
    }.`,
    '',
  ].join('\n');
}

function verdictOf(result: DrillResult): string {
  const { recovery, withinMs } = result;
  const { timeToRecoveryMs, sameVolume, reason } = recovery;
  if (!recovery.recovered || timeToRecoveryMs === null)
    return `FAILED: not recovered: ${reason ?? 'for no known reason'}`;
  const limit =
    withinMs === undefined
      ? ''
      : `, ${timeToRecoveryMs <= withinMs ? 'within' : 'over'} the allowed ${seconds(withinMs)}`;
  const volume = sameVolume ? 'on the same volume' : 'but on ANOTHER VOLUME';
  return `${isPassed(result) ? 'PASSED' : 'FAILED'}: Ready again on ${recovery.toNode} after ${seconds(timeToRecoveryMs)}${limit}, ${volume}.`;
}
