// Runs seed after seed and tells what came of them, so that whoever reads a failure can replay it at once.
import { shrink } from './shrink.ts';
import { type Outcome, wordsFor } from './simulation.ts';

export interface ReportOptions {
  readonly seeds: readonly number[];
  readonly trace: boolean;
  readonly shrink: boolean;
  readonly run: (seed: number) => Promise<Outcome>;
  readonly say: (line: string) => void;
}

/** How much of a failing run's trace is printed. */
const lastLines = 60;

/** Resolves with the number of seeds that failed. */
export async function report({ seeds, trace, shrink: shrinking, run, say }: ReportOptions): Promise<number> {
  const startedAt = performance.now();
  let simulatedMs = 0;
  let takeovers = 0;
  const failed: number[] = [];
  const remarks: string[] = [];
  for (const seed of seeds) {
    const outcome = await run(seed);
    simulatedMs += outcome.simulatedMs;
    takeovers += outcome.takeovers;
    remarks.push(...outcome.remarks.map((remark) => `seed ${seed}: ${remark}`));
    if (trace) for (const line of outcome.trace) say(line);
    if (outcome.violation === undefined) continue;
    failed.push(seed);
    tell(outcome, trace, say);
    if (shrinking) {
      const smaller = await shrink(outcome);
      say(`the same with ${smaller.scenario.faults.length} of ${outcome.scenario.faults.length} faults:`);
      for (const fault of smaller.scenario.faults) say(`  ${wordsFor(fault)}`);
      for (const line of smaller.trace.slice(-lastLines)) say(line);
    }
  }
  if (trace) return failed.length;
  if (remarks.length > 0) {
    say(`two live pods of one identity where no proof was asked for: ${remarks.length} cases`);
    for (const remark of remarks) say(`  ${remark}`);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const hours = simulatedMs / 3_600_000;
  say(
    `${seeds.length} clusters, ${takeovers} takeovers, ${hours.toFixed(1)} cluster-hours in ${seconds.toFixed(1)} s ` +
      `(${(hours / seconds).toFixed(2)} cluster-hours per second)`,
  );
  say(failed.length === 0 ? 'every invariant held' : `broken by ${failed.length}: ${failed.join(', ')}`);
  return failed.length;
}

function tell({ scenario, violation, trace }: Outcome, whole: boolean, say: (line: string) => void): void {
  if (violation === undefined) return;
  if (!whole) for (const line of trace.slice(-lastLines)) say(line);
  say('');
  say(`seed ${scenario.seed} broke "${violation.invariant}": ${violation.sentence}`);
  say(`found: ${violation.found}`);
  for (const fault of scenario.faults) say(`  ${wordsFor(fault)}`);
  say(`replay: npm run simulate -- --seed ${scenario.seed} --trace`);
  say('');
}
