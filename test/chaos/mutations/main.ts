// Shows that every deliberate defect is caught: `npm run simulate:mutations`.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { oneOf, runCommand, whole } from '../../processes/command-line.ts';
import { replayOf } from '../task.ts';
import { mutationNamed, mutationNames } from './all-mutations.ts';
import { hunt } from './hunt.ts';
import type { Mutation } from './mutation.ts';

const usage = `usage: npm run simulate:mutations -- [--seeds N] [--only NAME] [--jobs N]

  --seeds N    how many clusters each defect may escape at most, default 2000
  --only NAME  this defect alone
  --jobs N     how many clusters run side by side, default one for each processor`;

await runCommand(usage, async () => {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '2000' },
      only: { type: 'string' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const names = values.only === undefined ? mutationNames : [oneOf('only', values.only, mutationNames)];
  const seeds = Array.from({ length: whole('seeds', values.seeds, 1) }, (_, at) => at + 1);
  const jobs = whole('jobs', values.jobs, 1);
  let escaped = 0;
  for (const name of names) if (!(await isCaught(mutationNamed(name), seeds, jobs))) escaped++;
  console.log(escaped === 0 ? 'every defect was caught' : `${escaped} escaped`);
  return escaped === 0 ? 0 : 1;
});

async function isCaught(mutation: Mutation, seeds: readonly number[], jobs: number): Promise<boolean> {
  const { seedsTried, caught } = await hunt(mutation, seeds, jobs);
  console.log(`${mutation.name}: ${mutation.sentence}`);
  if (caught === undefined) {
    console.log(`  NOT CAUGHT within ${seedsTried} seeds`);
    return false;
  }
  console.log(`  seed ${caught.seed} broke "${caught.violation.invariant}": ${caught.violation.found}`);
  console.log(`  replay: ${replayOf({ seed: caught.seed, mutation: mutation.name })}`);
  return true;
}
