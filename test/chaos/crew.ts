// Runs many tasks side by side, each in a thread of its own, and hands out what came of them in the order in which they were given.
import { Worker } from 'node:worker_threads';
import { mutationNamed } from './mutations/all-mutations.ts';
import type { Outcome } from './simulation.ts';
import { perform, type Task } from './task.ts';
import type { Edit } from './world/replica.ts';

/** How far ahead of the outcome that is waited for others may run: their traces are kept until their turn comes. */
const aheadPerWorker = 8;

/**
 * The outcome of each task, in order. Whoever stops reading ends the rest.
 *
 * @param jobs - How many run at once; with 1 everything happens in this thread, unless a defect is built into its source.
 */
export async function* outcomesOf(
  tasks: readonly Task[],
  jobs: number,
): AsyncGenerator<{ readonly task: Task; readonly outcome: Outcome }> {
  const edits = editsOf(tasks);
  if (jobs === 1 && edits.length === 0) {
    for (const task of tasks) yield { task, outcome: await perform(task) };
    return;
  }
  const idle = Array.from({ length: Math.min(jobs, tasks.length) }, () => new SimulationThread(edits));
  const crew = [...idle];
  const started: Promise<Outcome>[] = [];
  const startMore = (doneSoFar: number): void => {
    while (started.length < tasks.length && started.length < doneSoFar + crew.length * aheadPerWorker) {
      const worker = idle.pop();
      const task = tasks[started.length];
      if (worker === undefined || task === undefined) return;
      const outcome = worker.run(task).finally(() => {
        idle.push(worker);
        startMore(done);
      });
      // Its turn to be waited for may come much later.
      outcome.catch(() => {});
      started.push(outcome);
    }
  };
  let done = 0;
  try {
    for (const task of tasks) {
      startMore(done);
      const outcome = await started[done];
      if (outcome === undefined)
        throw new Error(`expected seed ${task.seed} under way, found it not started`);
      done++;
      yield { task, outcome };
    }
  } finally {
    await Promise.all(crew.map((worker) => worker.end()));
  }
}

/** What one task comes to, wherever it has to run. */
export async function outcomeOf(task: Task): Promise<Outcome> {
  for await (const { outcome } of outcomesOf([task], 1)) return outcome;
  throw new Error(`expected an outcome of seed ${task.seed}, found none`);
}

/** How the source of core has to be changed for these tasks; one crew works on one mutation. */
function editsOf(tasks: readonly Task[]): readonly Edit[] {
  const [name, ...others] = new Set(tasks.map(({ mutation, harmless }) => (harmless ? undefined : mutation)));
  const edits = name === undefined ? [] : (mutationNamed(name).defect.edits ?? []);
  if (edits.length > 0 && others.length > 0)
    throw new RangeError(`expected tasks with the mutation ${name} alone, found others among them`);
  return edits;
}

/** A thread that runs one task at a time. */
class SimulationThread {
  readonly #worker: Worker;

  constructor(edits: readonly Edit[]) {
    // Whatever this thread was started with: packages resolve to their source.
    this.#worker = new Worker(new URL('./simulation-thread.ts', import.meta.url), {
      execArgv: ['--conditions=@liberator/source'],
      workerData: edits,
    });
  }

  run(task: Task): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#worker.off('message', onMessage);
        this.#worker.off('error', onError);
      };
      const onMessage = (outcome: Outcome): void => {
        done();
        resolve(outcome);
      };
      const onError = (cause: unknown): void => {
        done();
        reject(new Error(`seed ${task.seed} could not be run`, { cause }));
      };
      this.#worker.on('message', onMessage);
      this.#worker.on('error', onError);
      this.#worker.postMessage(task);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
