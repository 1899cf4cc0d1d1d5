// Runs clusters from seeds and says which of them broke a promise: `npm run simulate -- --seeds 1000`.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { oneOf, runCommand, UsageError, whole, wholes } from '../processes/command-line.ts';
import { mutationNames } from './mutations/all-mutations.ts';
import { pending } from './pending.ts';
import { report } from './report.ts';

const usage = `usage: npm run simulate -- [--seeds N] [--from SEED] [--seed SEED] [--trace] [--shrink] [--jobs N]

  --seeds N        how many clusters to run, default 20
  --from SEED      the first seed, default 1
  --seed SEED      this one alone
  --faults N,N     only these of its faults, the first of which is 0; "none" for no fault
  --with NAME,NAME with what is not kept yet and left out (pending.ts); "all" for everything
  --mutation NAME  with this deliberate defect built in
  --trace          print everything that happened
  --shrink         leave faults out of a failing run for as long as it still fails
  --jobs N         how many clusters run side by side, default one for each processor`;

await runCommand(usage, simulate);

async function simulate(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      faults: { type: 'string' },
      mutation: { type: 'string' },
      with: { type: 'string' },
      trace: { type: 'boolean', default: false },
      shrink: { type: 'boolean', default: false },
      jobs: { type: 'string', default: String(availableParallelism()) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const { seed, faults, mutation } = values;
  if (faults !== undefined && seed === undefined) {
    throw new UsageError('--faults: expected --seed beside it, since each seed has faults of its own');
  }
  const first = seed === undefined ? whole('from', values.from) : whole('seed', seed);
  const count = seed === undefined ? whole('seeds', values.seeds, 1) : 1;
  const more = {
    mutation: mutation === undefined ? undefined : oneOf('mutation', mutation, mutationNames),
    faults: faults === undefined ? undefined : wholes('faults', faults),
    on: values.with?.split(',').map((one) => oneOf('with', one, ['all', ...pending.map(({ name }) => name)])),
  };
  const failures = await report({
    tasks: Array.from({ length: count }, (_, at) => ({ seed: first + at, ...more })),
    jobs: Math.min(whole('jobs', values.jobs, 1), count),
    trace: values.trace,
    shrink: values.shrink,
    say: (line) => console.log(line),
  });
  return failures === 0 ? 0 : 1;
}
