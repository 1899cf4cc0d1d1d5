// Turns what was seen into the lines of the timeline: what is news, in which words, and what was told already.
import { type NamedVerdict, type TakeoverRecord, takeoverSteps } from '@liberator/core';
import type { DatabasePod, Entry, Of } from '../observing/observation.ts';
import { duration, type Line, shortName, shortUid } from './timeline.ts';

/**
 * Pure: the same entries give the same lines. Only what happens after the crash is told in full; before it, who leads
 * and whatever goes wrong.
 */
export class Narrator {
  readonly #podName: string;
  #zero: number;
  #crashed: string | undefined;
  #leader: string | undefined;
  #pod: DatabasePod | undefined;
  #judged = false;
  readonly #toldSteps = new Map<string, string>();
  readonly #attached = new Set<string>();
  readonly #nodeReady = new Map<string, string>();

  /** @param startedAt - When the demo began, in the time of the entries: where the time column starts. */
  constructor(podName: string, startedAt: number) {
    this.#podName = podName;
    this.#zero = startedAt;
  }

  tell(entry: Entry): readonly Line[] {
    if (entry.kind === 'crashed') this.#zero = entry.at;
    const atMs = entry.at - this.#zero;
    return this.#linesOf(entry).map((line, index) => (index === 0 ? { atMs, ...line } : line));
  }

  #linesOf(entry: Entry): readonly Line[] {
    switch (entry.kind) {
      case 'crashed':
        this.#crashed = entry.node;
        return [
          { who: entry.node, text: `crashes: its power is gone, and ${this.#podName} with it`, tone: 'bad' },
        ];
      case 'waiting':
        return [waitingLine(entry)];
      case 'leads':
        this.#leader = entry.agent;
        return [{ who: entry.agent, text: `leads, in epoch ${entry.epoch}` }];
      case 'sight':
        return this.#sightLines(entry);
      case 'health':
        return this.#isNews(entry.agent) ? [healthLine(entry)] : [];
      case 'held':
        return [
          {
            who: entry.agent,
            text: `holds back from ${entry.node}: ${entry.reasons.join('; ')}`,
            tone: 'warn',
          },
        ];
      case 'trouble':
        return [{ who: entry.agent, text: entry.message, tone: 'warn' }];
      case 'agent-ended':
        return [{ who: entry.agent, text: `ended unexpectedly: ${entry.how}`, tone: 'bad' }];
      case 'node-ready':
        return this.#nodeReadyLines(entry);
      case 'node-deleted':
        return this.#crashed === undefined ? [] : [{ who: entry.node, text: 'is gone from the API' }];
      case 'pod':
        return this.#podLines(entry.pod);
      case 'pod-gone':
        return this.#crashed === undefined
          ? []
          : [{ who: this.#podName, text: `${shortUid(entry.uid)} is gone` }];
      case 'detached':
        this.#attached.delete(`${entry.volume} ${entry.node}`);
        return [{ who: 'volume', text: `${shortName(entry.volume)} is detached from ${entry.node}` }];
      case 'attached':
        return this.#attachedLines(entry);
      case 'record':
        return entry.record.node.name === this.#crashed ? this.#recordLines(entry.record) : [];
      case 'heartbeat':
        return [];
    }
  }

  /** All replicas see the same; the one that decides is heard. */
  #isNews(agent: string): boolean {
    return this.#crashed !== undefined && (this.#leader === undefined || this.#leader === agent);
  }

  #sightLines({ agent, blind }: Of<'sight'>): readonly Line[] {
    if (!this.#isNews(agent)) return [];
    return blind.length === 0
      ? [{ who: agent, text: 'sees again' }]
      : [{ who: agent, text: `is blind and stands still: ${blind.join('; ')}`, tone: 'warn' }];
  }

  #nodeReadyLines({ node, status }: Of<'node-ready'>): readonly Line[] {
    const before = this.#nodeReady.get(node);
    this.#nodeReady.set(node, status);
    if (this.#crashed === undefined || before === undefined || before === status) return [];
    const text = `notices that ${node} is silent: Ready turns ${status}`;
    return [{ who: 'Kubernetes', text: status === 'True' ? `says that ${node} is Ready` : text }];
  }

  #podLines(pod: DatabasePod): readonly Line[] {
    const before = this.#pod;
    this.#pod = pod;
    if (this.#crashed === undefined) return [];
    const who = this.#podName;
    const uid = shortUid(pod.uid);
    if (before?.uid !== pod.uid) {
      return [{ who, text: `${uid} is created${pod.node === undefined ? '' : ` on ${pod.node}`}` }];
    }
    if (pod.terminating && !before.terminating) return [{ who, text: `${uid} is Terminating` }];
    if (pod.node !== undefined && before.node === undefined) {
      return [{ who, text: `${uid} is scheduled to ${pod.node}` }];
    }
    if (pod.ready && !before.ready) {
      return [{ who, text: `${uid} is Ready on ${pod.node ?? 'an unknown node'}`, tone: 'good' }];
    }
    return [];
  }

  #attachedLines({ volume, node }: Of<'attached'>): readonly Line[] {
    const place = `${volume} ${node}`;
    if (this.#attached.has(place)) return [];
    this.#attached.add(place);
    if (this.#crashed === undefined) return [];
    return [{ who: 'volume', text: `${shortName(volume)} is attached to ${node}` }];
  }

  #recordLines(record: TakeoverRecord): readonly Line[] {
    const lines: Line[] = [];
    if (!this.#judged) {
      this.#judged = true;
      lines.push({ who: 'guards', text: verdictsOf(record.verdicts) });
    }
    for (const name of takeoverSteps) {
      const step = record.steps[name];
      if (step === undefined) continue;
      const { startedAt, endedAt, outcome, detail = '' } = step;
      const ended = endedAt !== undefined && outcome !== undefined;
      const told = ended ? `${outcome}: ${detail}` : `waiting: ${detail}`;
      if (this.#toldSteps.get(name) === told) continue;
      if (!ended && !isWorthTelling(name, detail)) continue;
      this.#toldSteps.set(name, told);
      lines.push(
        ended
          ? {
              who: name,
              text: `${took(startedAt, endedAt)}${outcome === 'skipped' ? 'skipped: ' : ''}${detail}`,
            }
          : { who: name, text: `waits: ${detail}`, tone: 'warn' },
      );
    }
    if (record.undoing !== undefined && !this.#toldSteps.has('undo')) {
      this.#toldSteps.set('undo', record.undoing);
      lines.push({ who: 'takeover', text: `is undone: ${record.undoing}`, tone: 'warn' });
    }
    return lines;
  }
}

function waitingLine({ node, silentMs, deadAfterMs }: Of<'waiting'>): Line {
  const inSeconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;
  const text = `no heartbeat of ${node} for ${inSeconds(silentMs)}, death needs ${inSeconds(deadAfterMs)}`;
  return { who: '', text, tone: 'quiet' };
}

function healthLine({ agent, node, to, reasons }: Of<'health'>): Line {
  const why = reasons.length === 0 ? '' : `: ${reasons.join(', ')}`;
  return { who: agent, text: `${node} is ${to}${why}`, tone: to === 'dead' ? 'strong' : 'plain' };
}

function verdictsOf(verdicts: readonly NamedVerdict[]): string {
  const holding = verdicts.filter(({ verdict }) => verdict.outcome === 'hold').map(({ guard }) => guard);
  const passing = verdicts.filter(({ verdict }) => verdict.outcome === 'pass').map(({ guard }) => guard);
  const held = holding.length === 0 ? '' : `; hold: ${holding.join(' ')}`;
  return `pass: ${passing.join(' ')}${held}`;
}

/** Most waits are told by what they wait for; these are the ones that only a person or time ends. */
function isWorthTelling(step: string, detail: string): boolean {
  return detail.startsWith('held: ') || (step === 'fence' && detail !== '');
}

function took(startedAt: string, endedAt: string): string {
  return duration(Date.parse(endedAt) - Date.parse(startedAt)).padEnd(8);
}
