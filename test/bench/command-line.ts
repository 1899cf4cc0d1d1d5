// The words after `npm run bench --`, read and checked: what to measure, how large, how long.
import { parseArgs } from 'node:util';
import { type HandoverOptions, handoverSignals } from './cases/handover.ts';
import { type RecoveryOptions, recoveryCases } from './cases/recovery.ts';
import type { ScaleOptions } from './cases/scale.ts';
import type { SimulationOptions } from './cases/simulation.ts';
import { nameOf, type StormCase, type StormOptions, stormCaseNamed } from './cases/storm.ts';

export const benchNames = ['scale', 'storm', 'handover', 'recovery', 'simulation'] as const;

export type BenchName = (typeof benchNames)[number];

export const benchUsage = `usage: npm run bench -- [NAME...] [options]

Measures processes, and prints a table. NAME is one of these; without one, all of them are run, which takes two hours.

  scale       what an agent costs on a quiet fleet, beside polling all nodes every 5 s
    --nodes N[,N]    sizes of the fleets, default 100,1000,5000,15000
    --seconds S      how long each is measured, default 120
    --warm-up S      how long each is left alone before, default 20
    --starts N       how often each is started, default 3
  storm       many nodes die at once
    --case C[,C]     D-of-N, or held-D-of-N for a budget that holds them;
                     default 5-of-1500,150-of-1500,750-of-1500,held-1500-of-5000
    --limit S        when to give up on those that are to be recovered, default 300
    --seconds S      for how long those that are held are looked at, default 600
  handover    the leader goes in the middle of a takeover
    --case C[,C]     SIGTERM, SIGKILL, SIGSTOP; default all three
    --trials N       how often each, default 3
  recovery    crashes on a real control plane: Linux, root, Go (see test/control-plane)
    --case C[,C]     default, polling, kubernetes; default all three
    --crashes N      how many of each, default 10
    --seed N         decides their moments, default 1
  simulation  hours of simulated clusters in a second of CPU
    --seeds N        how many clusters, default 20

  --json      the last line of output is one JSON object
  --help`;

/** Thrown for a command line that makes no sense; its message is one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface BenchPlan {
  readonly names: readonly BenchName[];
  readonly json: boolean;
  readonly scale: ScaleOptions;
  readonly storm: StormOptions;
  readonly handover: HandoverOptions;
  readonly recovery: RecoveryOptions;
  readonly simulation: SimulationOptions;
}

/** Which options mean something to which bench. */
const optionsOf: Readonly<Record<BenchName, readonly string[]>> = {
  scale: ['nodes', 'seconds', 'warm-up', 'starts'],
  storm: ['case', 'limit', 'seconds'],
  handover: ['case', 'trials'],
  recovery: ['case', 'crashes', 'seed'],
  simulation: ['seeds'],
};

const valued = [...new Set(Object.values(optionsOf).flat())];
const stormCases = ['5-of-1500', '150-of-1500', '750-of-1500', 'held-1500-of-5000'];

/** Undefined when only the usage is asked for. @throws UsageError */
export function readPlan(args: readonly string[]): BenchPlan | undefined {
  const { names, values, flags } = wordsOf(args);
  if (flags.has('help')) return undefined;
  for (const option of values.keys()) {
    const only = benchNames.filter((name) => optionsOf[name].includes(option));
    if (names.length === 0) {
      throw new UsageError(`--${option} needs the name of a bench before it: ${only.join(' or ')}.`);
    }
    const deaf = names.find((name) => !only.includes(name));
    if (deaf !== undefined)
      throw new UsageError(`--${option} means nothing to ${deaf}, only to ${only.join(', ')}.`);
  }
  const number = (option: string, fallback: number, least: number, most: number): number =>
    whole(option, values.get(option) ?? String(fallback), least, most);
  const listed = (option: string, fallback: readonly string[]): readonly string[] =>
    values.get(option)?.split(',') ?? fallback;
  // Each bench reads what is meant for it; the others' words would not be cases of its own.
  const cases = (name: BenchName, fallback: readonly string[]): readonly string[] =>
    names.includes(name) ? listed('case', fallback) : fallback;
  return {
    names: names.length === 0 ? benchNames : names,
    json: flags.has('json'),
    scale: {
      nodes: listed('nodes', ['100', '1000', '5000', '15000']).map((text) => whole('nodes', text, 1, 60_000)),
      seconds: number('seconds', 120, 1, 86_400),
      warmUpSeconds: number('warm-up', 20, 0, 86_400),
      starts: number('starts', 3, 1, 100),
    },
    storm: {
      cases: cases('storm', stormCases).map(stormCase),
      limitSeconds: number('limit', 300, 1, 86_400),
      heldSeconds: number('seconds', 600, 1, 86_400),
    },
    handover: {
      signals: cases('handover', handoverSignals).map((text) => oneOf('case', text, handoverSignals)),
      trials: number('trials', 3, 1, 1_000),
    },
    recovery: {
      cases: cases('recovery', recoveryCases).map((text) => oneOf('case', text, recoveryCases)),
      // A cluster has a hundred nodes at most, three for each crash.
      crashes: number('crashes', 10, 1, 33),
      seed: number('seed', 1, 0, 2 ** 31),
    },
    simulation: { seeds: number('seeds', 20, 1, 100_000) },
  };
}

function wordsOf(args: readonly string[]): {
  readonly names: readonly BenchName[];
  readonly values: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
} {
  // Not strict: its own words for what it refuses are several sentences.
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(valued.map((name) => [name, { type: 'string' as const }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const names: BenchName[] = [];
  const values = new Map<string, string>();
  const flags = new Set<string>();
  for (const token of tokens) {
    if (token.kind === 'positional') names.push(oneOfNames(token.value));
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    if (valued.includes(name)) {
      if (value === undefined || value === '') throw new UsageError(`${rawName} needs a value.`);
      if (values.has(name)) throw new UsageError(`${rawName} was given twice.`);
      values.set(name, value);
    } else if ((name === 'json' || name === 'help') && value === undefined) {
      flags.add(name);
    } else {
      throw new UsageError(
        `There is no option ${rawName}${value === undefined ? '' : ` with a value`}; see --help.`,
      );
    }
  }
  return { names, values, flags };
}

function oneOfNames(text: string): BenchName {
  const found = benchNames.find((name) => name === text);
  if (found !== undefined) return found;
  throw new UsageError(`There is no bench "${text}", only ${benchNames.join(', ')}.`);
}

function oneOf<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new UsageError(`--${option}: expected one of ${choices.join(', ')}, found "${text}".`);
}

function stormCase(text: string): StormCase {
  const found = stormCaseNamed(text);
  if (found !== undefined && nameOf(found) === text) return found;
  throw new UsageError(`--case: expected D-of-N or held-D-of-N with fewer dead than nodes, found "${text}".`);
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`--${option}: expected a whole number from ${least} to ${most}, found "${text}".`);
}
