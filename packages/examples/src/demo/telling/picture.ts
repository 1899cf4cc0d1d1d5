// Draws a recovery as an SVG picture: what each machine and the agents did when, and the takeover under a lens.
import type { Recovery, StepTime } from './report.ts';
import { centred, fit, type Scale, scaleOf, startAligned, style, tag, textTag, ticks } from './svg.ts';
import { duration, seconds } from './timeline.ts';

const width = 800;
const left = 128;
const right = 772;
const barHeight = 26;

const lanes = { from: 116, agents: 152, to: 188, bottom: 222 };
const lens = { title: 288, top: 304, rowHeight: 21 };

/** What the picture needs of a recovery, with nothing missing. */
interface Moments {
  readonly suspect: number;
  readonly dead: number;
  readonly started: number;
  readonly scheduled: number;
  readonly ready: number;
  readonly ended: number;
}

/**
 * The SVG text, 800 wide, readable on light and on dark pages. `what` says what was run.
 *
 * @throws RangeError for a recovery that did not take place: there is nothing to draw.
 */
export function recoveryPicture(recovery: Recovery, what = 'One run of npm run demo'): string {
  const moments = momentsOf(recovery);
  const bottom = lens.top + (recovery.steps.length + 1) * lens.rowHeight;
  const height = bottom + 76;
  const whole = scaleOf([-0.115 * moments.ended, moments.ended * 1.13], [left, right]);
  const pad = 0.06 * (moments.ended - moments.started);
  const near = scaleOf([moments.started - pad, moments.ended + pad], [left, right]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    tag('title', {}, `${nameOf(recovery)} is Ready again ${seconds(moments.ready)} after its node crashed`),
    style,
    tag('rect', { class: 'card', x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 10 }),
    ...heading(recovery, moments, what),
    ...wholeStory(recovery, moments, whole),
    ...beam(moments, whole, near),
    ...underTheLens(recovery, moments, near, bottom),
    textTag(
      'note',
      28,
      height - 18,
      'Kubernetes alone, measured twice: Terminating after 344 and 352 s, and, as documented, forever.',
    ),
    '</svg>',
    '',
  ].join('\n');
}

function momentsOf({ milestones, steps, timeToRecoveryMs }: Recovery): Moments {
  const { suspect, dead, newPodScheduled } = milestones;
  const started = steps[0]?.startMs;
  const ended = steps.at(-1)?.endMs;
  const found = [suspect, dead, newPodScheduled, timeToRecoveryMs, started, ended];
  if (found.some((moment) => moment === null || moment === undefined)) {
    throw new RangeError('expected a recovery with all of its moments, found one without: nothing to draw');
  }
  return {
    suspect: suspect ?? 0,
    dead: dead ?? 0,
    scheduled: newPodScheduled ?? 0,
    ready: timeToRecoveryMs ?? 0,
    started: started ?? 0,
    ended: Math.max(ended ?? 0, timeToRecoveryMs ?? 0),
  };
}

function heading(recovery: Recovery, { ready }: Moments, run: string): readonly string[] {
  const where =
    recovery.cluster === 'real' ? 'a real control plane with hollow nodes' : 'the embedded cluster';
  const timers = recovery.changedTimers.length === 0 ? 'stock timers' : 'changed timers';
  const what = `${nameOf(recovery)} is Ready again ${seconds(ready)} after its node crashed`;
  return [
    textTag('heading', 28, 38, what),
    textTag(
      'note',
      28,
      60,
      `${run} on ${where}, Kubernetes ${recovery.kubernetes}, ${timers}. ${proofWords(recovery)}`,
    ),
  ];
}

function proofWords({ proof }: Recovery): string {
  return proof === null || proof === 'none' ? 'Without proof.' : `Proof: ${proof}.`;
}

function wholeStory(recovery: Recovery, moments: Moments, x: Scale): readonly string[] {
  const { suspect, dead, started, scheduled, ready, ended } = moments;
  const { fromNode, toNode, milestones } = recovery;
  const { notReady } = milestones;
  const name = nameOf(recovery);
  const end = milestones.nodeDeleted ?? ended;
  const bar = barOn(x);
  return [
    laneName(lanes.from, fromNode ?? ''),
    laneName(lanes.agents, 'Liberator'),
    laneName(lanes.to, toNode ?? ''),
    // Below the bars, so that they cross no words.
    ...moment(x, 0, 'crash', 'middle'),
    ...moment(x, suspect, 'suspect', 'middle'),
    // Kubernetes' own view, where it came to one in time, stays out of the way of what is told beside it.
    ...(notReady !== null && x(dead) - x(notReady) > 130 ? moment(x, notReady, 'NotReady', 'middle') : []),
    ...moment(x, dead, 'dead', 'end'),
    ...moment(x, ready, 'Ready', 'start'),
    ...bar(lanes.from, x.from, 0, 'running', fit(name, x(0) - left)),
    ...bar(lanes.from, 0, end, 'lost', 'no power, no heartbeat'),
    ...bar(lanes.agents, x.from, suspect, 'watching', 'watches'),
    ...bar(lanes.agents, suspect, started, 'suspect', 'suspects'),
    ...bar(lanes.agents, started, ended, 'acting', ''),
    ...bar(lanes.agents, ended, x.to, 'watching', ''),
    ...bar(lanes.to, scheduled, ready, 'starting', ''),
    ...bar(lanes.to, ready, x.to, 'running', fit(name, right - x(ready))),
    ...axis(x, lanes.bottom),
  ];
}

/** The rays of the lens: from the short time above to its long picture below. */
function beam({ started, ended }: Moments, whole: Scale, near: Scale): readonly string[] {
  const top = lanes.bottom;
  const points = [
    [whole(started), top],
    [whole(ended), top],
    [near.range[1], lens.title - 22],
    [near.range[0], lens.title - 22],
  ];
  return [tag('polygon', { class: 'beam', points: points.map((point) => point.join(',')).join(' ') })];
}

function underTheLens(recovery: Recovery, moments: Moments, x: Scale, bottom: number): readonly string[] {
  const { oldPodGone, newPodScheduled } = recovery.milestones;
  const row = (index: number): number => lens.top + index * lens.rowHeight;
  const last = row(recovery.steps.length);
  const bar = barOn(x, lens.rowHeight - 7);
  const gone = oldPodGone ?? x.from;
  return [
    textTag('subheading', left, lens.title - 2, `The takeover: ${duration(moments.ended - moments.started)}`),
    ...recovery.steps.flatMap((step, index) => [
      laneName(row(index), step.step, lens.rowHeight - 7),
      ...bar(row(index), step.startMs, step.endMs ?? moments.ended, 'acting', ''),
      besideBar(step, x, row(index) + 11),
    ]),
    laneName(last, nameOf(recovery), lens.rowHeight - 7),
    ...bar(last, x.from, gone, 'lost', 'the old pod'),
    ...bar(last, newPodScheduled ?? moments.ready, moments.ready, 'starting', 'starting'),
    ...bar(last, moments.ready, x.to, 'running', fit('Ready', right - x(moments.ready))),
    ...axis(x, bottom),
  ];
}

/** How long a step took: right of its bar, or left of it where the picture ends. */
function besideBar({ startMs, endMs, durationMs }: StepTime, x: Scale, y: number): string {
  const text = durationMs === null ? 'unfinished' : duration(durationMs);
  const end = x(endMs ?? x.to);
  return end + 60 < right
    ? startAligned('value', end + 6, y, text)
    : textTag('value', x(startMs) - 6, y, text, { 'text-anchor': 'end' });
}

function laneName(y: number, name: string, height: number = barHeight): string {
  return textTag('lane', left - 14, y + height / 2 + 4, fit(name, left - 30), { 'text-anchor': 'end' });
}

function barOn(x: Scale, height: number = barHeight) {
  return (y: number, from: number, to: number, look: string, label: string): readonly string[] => {
    const [start, end] = [x(from), x(to)];
    const barWidth = Math.max(2, end - start);
    const rect = tag('rect', { class: look, x: start, y, width: barWidth, height, rx: 3 });
    const words = fit(label, barWidth);
    return words === ''
      ? [rect]
      : [rect, centred(`on-${look}`, start + barWidth / 2, y + height / 2 + 4, words)];
  };
}

/** A line through all lanes, with its name and its time above. */
function moment(x: Scale, at: number, name: string, anchor: 'start' | 'middle' | 'end'): readonly string[] {
  const place = x(at);
  const shift = anchor === 'end' ? 3 : anchor === 'start' ? -3 : 0;
  const align = { 'text-anchor': anchor };
  return [
    tag('line', { class: 'moment', x1: place, x2: place, y1: 106, y2: lanes.bottom }),
    textTag('moment-name', place + shift, 88, name, align),
    textTag('value', place + shift, 102, seconds(at), align),
  ];
}

function axis(x: Scale, y: number): readonly string[] {
  return [
    tag('line', { class: 'axis', x1: left, x2: right, y1: y, y2: y }),
    ...ticks(x, 8).flatMap((at) => [
      tag('line', { class: 'axis', x1: x(at), x2: x(at), y1: y, y2: y + 4 }),
      centred('value', x(at), y + 17, `${at / 1_000} s`),
    ]),
  ];
}

function nameOf({ pod }: Recovery): string {
  return pod.split('/').at(-1) ?? pod;
}
