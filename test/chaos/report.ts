// Runs task after task and tells what came of them, so that whoever reads a failure can replay it at once.
import { outcomesOf } from './crew.ts';
import { shrink } from './shrink.ts';
import { type Outcome, wordsFor } from './simulation.ts';
import { replayOf, type Task } from './task.ts';

export interface ReportOptions {
  readonly tasks: readonly Task[];
  readonly jobs: number;
  readonly trace: boolean;
  readonly shrink: boolean;
  readonly say: (line: string) => void;
}

/** How much of a failing run's trace is printed. */
const lastLines = 60;

/** After how many tasks a long run says how far it is. */
const progressEvery = 100;

/** Resolves with the number of tasks that failed. */
export async function report({ tasks, jobs, trace, shrink: shrinking, say }: ReportOptions): Promise<number> {
  const startedAt = performance.now();
  let simulatedMs = 0;
  let takeovers = 0;
  let done = 0;
  const failed: number[] = [];
  const remarks: string[] = [];
  for await (const { task, outcome } of outcomesOf(tasks, jobs)) {
    simulatedMs += outcome.simulatedMs;
    takeovers += outcome.takeovers;
    remarks.push(...outcome.remarks.map((remark) => `seed ${task.seed}: ${remark}`));
    done++;
    if (done % progressEvery === 0 && done < tasks.length) {
      say(`${done} of ${tasks.length} clusters, ${failed.length} of them broke a promise`);
    }
    if (trace) for (const line of outcome.trace) say(line);
    if (outcome.violation === undefined) continue;
    failed.push(task.seed);
    if (!trace) for (const line of outcome.trace.slice(-lastLines)) say(line);
    tell(task, outcome, say);
    if (shrinking) {
      say('shrinks it ...');
      const smaller = await shrink(task, outcome);
      for (const line of smaller.outcome.trace.slice(-lastLines)) say(line);
      say('');
      say(
        `${smaller.outcome.scenario.faults.length} of ${outcome.scenario.faults.length} faults are enough:`,
      );
      tell(smaller.task, smaller.outcome, say);
    }
  }
  if (trace) return failed.length;
  if (remarks.length > 0) {
    say(
      `two live pods of one identity where no proof was asked for, or a fencer lied: ${remarks.length} cases`,
    );
    for (const remark of remarks) say(`  ${remark}`);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const hours = simulatedMs / 3_600_000;
  say(
    `${tasks.length} clusters, ${takeovers} takeovers, ${hours.toFixed(1)} cluster-hours in ${seconds.toFixed(1)} s ` +
      `(${(hours / seconds).toFixed(2)} cluster-hours per second)`,
  );
  say(failed.length === 0 ? 'every invariant held' : `broken by ${failed.length}: ${failed.join(', ')}`);
  return failed.length;
}

function tell(task: Task, { scenario, violation }: Outcome, say: (line: string) => void): void {
  if (violation === undefined) return;
  say('');
  say(`seed ${scenario.seed} broke "${violation.invariant}": ${violation.sentence}`);
  say(`found: ${violation.found}`);
  for (const fault of scenario.faults) say(`  ${wordsFor(fault)}`);
  say(`replay: ${replayOf(task)}`);
  say('');
}
