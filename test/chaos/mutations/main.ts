// Shows that every deliberate defect is caught: `npm run simulate:mutations`.
import { parseArgs } from 'node:util';
import { allMutations } from './all-mutations.ts';
import { hunt } from './hunt.ts';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '200' }, only: { type: 'string' } },
});

const seeds = Array.from({ length: Number(values.seeds) }, (_, at) => at + 1);
let escaped = 0;
for (const mutation of allMutations) {
  if (values.only !== undefined && mutation.name !== values.only) continue;
  const { outcome, seedsTried } = await hunt(mutation, seeds);
  if (outcome === undefined) escaped++;
  const result =
    outcome === undefined
      ? `NOT CAUGHT within ${seedsTried} seeds`
      : `caught by ${outcome.violation?.invariant} at seed ${outcome.scenario.seed}: ${outcome.violation?.found}`;
  console.log(`${mutation.name}: ${mutation.sentence}\n  ${result}`);
}
process.exitCode = escaped === 0 ? 0 : 1;
