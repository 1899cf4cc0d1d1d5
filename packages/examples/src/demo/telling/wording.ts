// What the demo says around its timeline: how things are set up, what holds and what doesn't, and how it ended.
import { defaultHeartbeatDetection } from '@liberator/core';
import type { DemoCluster, Detection } from '../cluster/demo-cluster.ts';
import type { WithoutLiberator } from '../database/without-liberator.ts';
import { isSameVolume, type Recovery } from './report.ts';
import { type Line, seconds, shortName, shortUid } from './timeline.ts';

export const title = 'A node dies, and its database comes back elsewhere';

export function openingLines(cluster: DemoCluster, atMs: number): readonly Line[] {
  return [
    { atMs, who: 'cluster', text: `${cluster.nodes.length} nodes are Ready, Kubernetes ${cluster.version}` },
    { who: '', text: cluster.about, tone: 'quiet' },
    {
      who: '',
      text:
        cluster.changedTimers.length === 0
          ? "its timers are Kubernetes' defaults, none is sped up"
          : `its timers are not Kubernetes' defaults: ${cluster.changedTimers.join(', ')}`,
      tone: 'quiet',
    },
  ];
}

/** What the agents go by, told honestly: what this cluster can't offer, and what the demo does without. */
export function policyLines({ probes, deadAfterMs }: Detection): readonly Line[] {
  const after = `${deadAfterMs / 1_000} s without a heartbeat`;
  const death = probes
    ? `a node is dead after ${after} if its host is silent, too`
    : `a node is dead after ${after} if Kubernetes, too, calls it not Ready; ` +
      `${defaultHeartbeatDetection.deadAfterMs / 1_000} s would do if simulated hosts could be probed`;
  return [
    { who: 'policy', text: death, tone: 'quiet' },
    {
      who: '',
      text: 'nothing is freed before the management controller of its machine says that it is off: a simulated one, over HTTP',
      tone: 'quiet',
    },
    { who: '', text: '' },
  ];
}

/** The table of what changed and what didn't, and the one line that everything else was for. */
export function closingLines(recovery: Recovery): readonly Line[] {
  const { before, after, deletes, timeToRecoveryMs, pod } = recovery;
  if (before === null || after === null || timeToRecoveryMs === null) return [];
  const same = isSameVolume(before, after);
  const row = (...cells: readonly [string, string]): string => cells.map((cell) => cell.padEnd(26)).join('');
  const name = pod.split('/').at(-1) ?? pod;
  return [
    { who: '', text: '' },
    { who: name, text: row('before', 'after'), tone: 'quiet' },
    { who: 'pod', text: row(shortUid(before.uid), shortUid(after.uid)) },
    { who: 'node', text: row(before.node, after.node) },
    { who: 'volume', text: row(shortName(before.volume), same ? 'the same' : shortName(after.volume)) },
    { who: 'deleted', text: `${deletes} Node, by the audit log` },
    { who: '', text: '' },
  ];
}

/** The comparison, in one line of at most 80 columns. */
export function verdict({ timeToRecoveryMs, pod }: Recovery): string {
  const name = pod.split('/').at(-1) ?? pod;
  return `${name} recovered in ${seconds(timeToRecoveryMs ?? 0)}; Kubernetes alone leaves it Terminating forever.`;
}

/**
 * Where that "forever" comes from: two crashes measured on a real control plane, and a replay of this very run's story.
 */
export function sources(replay: WithoutLiberator | undefined): readonly string[] {
  const measured =
    'Measured twice on a real control plane with stock settings and no agents: Terminating 344 and 352 s after ' +
    'the crash, and still so when watched for another 195 s; documented as forever.';
  if (replay === undefined) return [measured];
  const { terminatingAfterMs, watchedMs, stuck } = replay;
  const end = stuck ? 'and still so' : 'and no longer so';
  return [
    measured,
    `Replayed just now in virtual time without agents: Terminating after ${Math.round(terminatingAfterMs / 1_000)} s, ` +
      `${end} ${Math.round(watchedMs / 60_000)} minutes after the crash.`,
  ];
}
