// Runs clusters from seeds and says which of them broke a promise: `npm run simulate -- --seeds 1000`.
import { parseArgs } from 'node:util';
import { report } from './report.ts';
import { scenarioOf, simulate } from './simulation.ts';

const usage = `usage: npm run simulate -- [--seeds N] [--from SEED] [--seed SEED] [--trace] [--shrink]

  --seeds N    how many clusters to run, default 20
  --from SEED  the first seed, default 1
  --seed SEED  this one alone
  --trace      print everything that happened
  --shrink     leave faults out of a failing run for as long as it still fails`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(usage);
} else {
  const first = whole('seed', values.seed ?? values.from);
  const count = values.seed === undefined ? whole('seeds', values.seeds) : 1;
  const failures = await report({
    seeds: Array.from({ length: count }, (_, at) => first + at),
    trace: values.trace,
    shrink: values.shrink,
    run: (seed) => simulate(scenarioOf(seed)),
    say: (line) => console.log(line),
  });
  process.exitCode = failures === 0 ? 0 : 1;
}

function whole(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new RangeError(`--${option}: expected a whole number, found "${text}"`);
}
