// What a drain says to people: its plan as a table, each pod's news as a line, its ends as advice.
import type { Drained, MaintenanceError, PlannedPod, PodState } from '@liberator/core';
import { formatDuration } from '../duration.ts';

export function podName({ namespace, name }: PlannedPod): string {
  return `${namespace}/${name}`;
}

/** Messages of the cluster must not move a terminal's cursor. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

/** `3 pods` */
export function counted(count: number): string {
  return `${count === 0 ? 'no' : count} ${count === 1 ? 'pod' : 'pods'}`;
}

/** One line, at most `columns` wide. */
export function clip(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

/** The plan as a table, one pod a line; its last column is broken to fit into `columns`, if there are any. */
export function planTable(pods: readonly PlannedPod[], columns: number | undefined): readonly string[] {
  const head = ['POD', 'ACTION', 'WHY'] as const;
  const cells = pods.map((pod) => [podName(pod), pod.action, printable(pod.reason)] as const);
  const width = (column: 0 | 1): number => Math.max(...[head, ...cells].map((row) => row[column].length));
  const [first, second] = [width(0), width(1)];
  const room = columns === undefined ? undefined : Math.max(20, columns - first - second - 4);
  return [head, ...cells].flatMap(([pod, action, why]) => {
    const rows = room === undefined ? [why] : wrap(why, room);
    return rows.map((row, index) => {
      const left =
        index === 0 ? `${pod.padEnd(first)}  ${action.padEnd(second)}` : ' '.repeat(first + second + 2);
      return `${left}  ${row}`;
    });
  });
}

function wrap(text: string, columns: number): readonly string[] {
  const rows: string[] = [];
  for (const word of text.split(' ')) {
    const last = rows.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) rows.push(word);
    else rows[rows.length - 1] = `${last} ${word}`;
  }
  return rows;
}

/** How a drain ended that came to its end. */
export function drainedLines(node: string, { moved, skipped, holdMs }: Drained): readonly string[] {
  const stay = skipped.length === 1 ? 'stays, as it belongs' : 'stay, as they belong';
  const others = skipped.length === 0 ? '' : `, ${counted(skipped.length)} ${stay} to it`;
  return [
    `${node} is drained: ${counted(moved.length)} moved${others}`,
    `takeovers of it stay held for ${formatDuration(holdMs)}, or until "liberator uncordon ${node}"`,
  ];
}

/** What stopped the drain, where it stands, and how to go on: one line each. */
export function failureLines(node: string, again: string, error: MaintenanceError, heldMs: number): string {
  const lines = [error.message];
  for (const state of error.pods) lines.push(`  ${podName(state.pod)}: ${standing(state)}`);
  if (error.code === 'LIBERATOR_UNCORDONED' || !error.cordoned) return lines.join('\n');
  lines.push(
    `${node} stays cordoned, and takeovers of it stay held for up to ${formatDuration(heldMs)}`,
    `to go on:        ${again}`,
    `to give it back: liberator uncordon ${node}`,
  );
  return lines.join('\n');
}

function standing({ phase, detail }: PodState): string {
  return printable(phase === 'waiting' || phase === 'refused' ? detail : `${phase}, ${detail}`);
}
