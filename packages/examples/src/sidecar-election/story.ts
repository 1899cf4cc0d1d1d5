// Three pods of which one works at a time, and three ways in which the one that works can go.
import { setTimeout as pause } from 'node:timers/promises';
import { DemoFailure } from '../demo/failure.ts';
import { Pod } from './pod.ts';

export interface StoryOptions {
  readonly kubeconfig: string;
  readonly election: string;
  readonly tell: (who: string, text: string, tone?: 'plain' | 'quiet' | 'good' | 'warn') => void;
  readonly signal: AbortSignal;
}

/** What came of it. */
export interface Outcome {
  readonly reports: number;
  readonly terms: number;
}

const names = ['reports-0', 'reports-1', 'reports-2'] as const;
const reportsPerTerm = 3;
const patienceMs = 60_000;

/** @throws DemoFailure when two worked at once, or when nobody works for a minute. */
export async function playStory(options: StoryOptions): Promise<Outcome> {
  const { tell } = options;
  await using stack = new AsyncDisposableStack();
  const journal = new Journal(options);
  const start = async (name: string): Promise<Pod> => {
    const pod = await Pod.start({ ...options, name, onLine: (line) => journal.heard(name, line) });
    return stack.use(pod);
  };
  const pods = new Map((await Promise.all(names.map(start))).map((pod) => [pod.name, pod]));
  tell('pods', `${names.join(', ')}: a sidecar each, and a script beside it`, 'quiet');
  const atWork = async (): Promise<Pod> => {
    const pod = pods.get(await journal.worker());
    if (pod === undefined) throw new DemoFailure('somebody works who is not one of the pods');
    return pod;
  };

  const first = await atWork();
  tell(first.name, 'loses power: its Lease has to expire', 'warn');
  await first.crash();
  const second = await atWork();
  tell(second.name, 'hangs: its script gets no answer, and stops working', 'warn');
  second.freeze();
  const third = await atWork();
  tell(second.name, 'goes on, and knows that its term is over', 'warn');
  second.thaw();
  pods.set(first.name, await start(first.name));
  tell(third.name, 'is deleted: it gives its Lease back', 'warn');
  await third.delete();
  await atWork();
  return journal.outcome();
}

/** Everything that the scripts said, and whether it fits together. */
class Journal {
  readonly #options: StoryOptions;
  readonly #reports: { readonly by: string; readonly term: number }[] = [];
  #contradiction: DemoFailure | undefined;
  #toldTerm = -1;

  constructor(options: StoryOptions) {
    this.#options = options;
  }

  heard(by: string, line: string): void {
    const report = /^report in term (\d+)$/.exec(line);
    if (report === null) {
      this.#options.tell(by, line, line.startsWith('leading') ? 'good' : 'quiet');
      return;
    }
    const term = Number(report[1]);
    const last = this.#reports.at(-1);
    if (last !== undefined && (last.term > term || (last.term === term && last.by !== by))) {
      const words = `${by} worked in term ${term} after ${last.by} had in term ${last.term}`;
      this.#contradiction ??= new DemoFailure(`two worked at once: ${words}`);
    }
    this.#reports.push({ by, term });
  }

  /** Who works, once a term after that of the last answer has seen some work: that may have happened before this is asked. */
  async worker(): Promise<string> {
    for (const deadline = performance.now() + patienceMs; ; ) {
      await pause(50, undefined, { signal: this.#options.signal }).catch(() =>
        this.#options.signal.throwIfAborted(),
      );
      if (this.#contradiction !== undefined) throw this.#contradiction;
      const last = this.#reports.at(-1);
      const inTerm = this.#reports.filter(({ term }) => term === last?.term);
      if (last !== undefined && last.term > this.#toldTerm && inTerm.length >= reportsPerTerm) {
        this.#toldTerm = last.term;
        this.#options.tell(last.by, `wrote ${inTerm.length} reports in term ${last.term}`);
        return last.by;
      }
      if (performance.now() > deadline) throw new DemoFailure('waited a minute in vain for somebody to work');
    }
  }

  outcome(): Outcome {
    const terms = new Set(this.#reports.map(({ term }) => term));
    return { reports: this.#reports.length, terms: terms.size };
  }
}
