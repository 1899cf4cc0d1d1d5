// What is to be run, in so few words that they fit on a command line and pass between threads.
import { mutationNamed } from './mutations/all-mutations.ts';
import { type Outcome, scenarioOf, simulate } from './simulation.ts';

export interface Task {
  readonly seed: number;
  /** The deliberate defect that is built in; undefined for the real program. */
  readonly mutation?: string | undefined;
  /** Which of the scenario's faults happen, by their place in it; undefined for all. */
  readonly faults?: readonly number[] | undefined;
  /** What of the pending happens and is asked all the same; `all` for everything. */
  readonly on?: readonly string[] | undefined;
  /** The mutation sets its stage, and is not built in: what is found then is not its doing. */
  readonly harmless?: boolean | undefined;
}

export function perform({ seed, mutation: name, faults, on, harmless }: Task): Promise<Outcome> {
  const mutation = name === undefined ? undefined : mutationNamed(name);
  const drawn = scenarioOf(seed);
  const scenario = mutation?.stage?.(drawn) ?? drawn;
  const happening =
    faults === undefined ? scenario.faults : scenario.faults.filter((_, at) => faults.includes(at));
  return simulate({ ...scenario, faults: happening }, harmless ? {} : mutation?.defect, on);
}

/** The command that runs it again, telling all that happens. */
export function replayOf({ seed, mutation, faults, on = [] }: Task): string {
  const options = [
    `--seed ${seed}`,
    ...(mutation === undefined ? [] : [`--mutation ${mutation}`]),
    ...(on.length === 0 ? [] : [`--with ${on.join(',')}`]),
    ...(faults === undefined ? [] : [`--faults ${faults.join(',') || 'none'}`]),
  ];
  return `npm run simulate -- ${options.join(' ')} --trace`;
}
