// What agents' logs say about each node that died: when it was known, decided and closed.
import type { LogEntry } from '../../processes/agent-process.ts';

/** Times are milliseconds since 1970, as the log has them; absent when the log does not say. */
export interface Timeline {
  readonly node: string;
  /** First told dead. */
  deadAt?: number;
  /** First decided to be taken over. */
  decidedAt?: number;
  closedAt?: number;
  /** Of the takeover. */
  result?: string;
}

export function timelinesOf(entries: readonly LogEntry[]): readonly Timeline[] {
  const timelines = new Map<string, Timeline>();
  for (const { event, time, ...fields } of entries) {
    const { node } = fields;
    if (typeof node !== 'string') continue;
    const timeline = timelines.get(node) ?? { node };
    const at = Date.parse(time);
    if (event === 'health' && fields['to'] === 'dead') timeline.deadAt ??= at;
    else if (event === 'decision' && fields['action'] === 'act') timeline.decidedAt ??= at;
    else if (event === 'takeover' && fields['step'] === 'close' && fields['phase'] === 'done') {
      timeline.closedAt ??= at;
      timeline.result ??= String(fields['result']);
    } else continue;
    timelines.set(node, timeline);
  }
  return [...timelines.values()];
}

/** The time from one moment to another, as the only sample; none when one of them never came. */
export function between(from: number | undefined, to: number | undefined): readonly number[] {
  return from === undefined || to === undefined ? [] : [to - from];
}
