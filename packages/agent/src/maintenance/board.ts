// The state of a drain as a person wants to see it: a headline and a line for each pod, within the width of a terminal.
import type { DrainProgress, PodPhase, PodState } from '@liberator/core';
import { sentenceOf } from '../process/failure.ts';
import { formatDuration } from '../text/duration.ts';
import { printable } from '../text/table.ts';
import { clip, podName } from './wording.ts';

/** In the order in which they deserve attention. */
const phases: readonly PodPhase[] = ['refused', 'replacing', 'leaving', 'waiting', 'done'];

const longestNameColumns = 36;

/** What has been heard of a drain so far. */
export class DrainBoard {
  readonly #node: string;
  readonly #pods = new Map<string, PodState>();
  #notice = '';

  constructor(node: string) {
    this.#node = node;
  }

  hear(progress: DrainProgress): void {
    switch (progress.type) {
      case 'planned':
        for (const pod of progress.pods) {
          if (pod.action === 'skip' || pod.action === 'refuse') continue;
          this.#pods.set(pod.uid, { pod, phase: 'waiting', detail: pod.reason });
        }
        return;
      case 'pod':
        this.#notice = '';
        this.#pods.set(progress.pod.uid, progress);
        return;
      default:
        this.#notice = noticeOf(this.#node, progress);
    }
  }

  /** The whole picture, no line wider than `columns`, no more of them than `rows`. */
  lines(elapsedMs: number, columns: number, rows: number): readonly string[] {
    const states = [...this.#pods.values()];
    const done = states.filter(({ phase }) => phase === 'done').length;
    const elapsed = formatDuration(Math.floor(elapsedMs / 1_000) * 1_000);
    const headline = `Draining ${this.#node}: ${done} of ${states.length} pods moved, ${elapsed}`;
    const footer = this.#notice === '' ? [] : [`  ${this.#notice}`];
    const room = Math.max(1, rows - 2 - footer.length);
    const shown = states.length <= room ? states : this.#mostUrgent(states, room - 1);
    const more = states.length - shown.length;
    const nameColumns = Math.min(
      longestNameColumns,
      Math.max(...shown.map(({ pod }) => podName(pod).length), 0),
    );
    return [
      headline,
      ...shown.map(({ pod, phase, detail }) => {
        const name = clip(podName(pod), nameColumns).padEnd(nameColumns);
        return `  ${name}  ${phase.padEnd(9)}  ${printable(detail)}`;
      }),
      ...(more > 0 ? [`  and ${more} more`] : []),
      ...footer,
    ]
      .slice(0, Math.max(1, rows - 1))
      .map((line) => clip(line, columns));
  }

  #mostUrgent(states: readonly PodState[], count: number): readonly PodState[] {
    return states
      .toSorted((a, b) => phases.indexOf(a.phase) - phases.indexOf(b.phase))
      .slice(0, Math.max(0, count));
  }
}

/** One line for each piece of news, for logs and pipes. Undefined for what is no news there. */
export function plainLine(node: string, progress: DrainProgress): string | undefined {
  if (progress.type === 'pod') {
    const { pod, phase, detail } = progress;
    return `${podName(pod)}: ${phase}: ${printable(detail)}`;
  }
  if (progress.type !== 'planned') return `${node}: ${noticeOf(node, progress)}`;
  if (progress.pods.some(({ action }) => action === 'refuse')) return undefined;
  const moving = progress.pods.filter(({ action }) => action === 'evict' || action === 'await').length;
  return `${node}: ${moving} of ${progress.pods.length} pods have to go`;
}

function noticeOf(node: string, progress: Exclude<DrainProgress, { type: 'planned' | 'pod' }>): string {
  switch (progress.type) {
    case 'cordoned':
      return progress.wasCordoned
        ? 'was cordoned already; takeovers of it are held'
        : 'cordoned; takeovers of it are held';
    case 'joined':
      return `${printable(progress.by)} began to drain it at ${printable(progress.since)} and did not finish`;
    case 'node':
      return progress.reporting
        ? 'reports again'
        : `stopped reporting; its takeover is held until you interrupt this and run "liberator uncordon ${node}"`;
    case 'trouble':
      return `${sentenceOf(progress.error)}; trying again`;
  }
}
