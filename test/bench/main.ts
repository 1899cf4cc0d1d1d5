// `npm run bench`: measures what Liberator costs and how fast it is, always beside something else.
import { handover } from './cases/handover.ts';
import { recovery } from './cases/recovery.ts';
import { scale } from './cases/scale.ts';
import { simulation } from './cases/simulation.ts';
import { storm } from './cases/storm.ts';
import { type BenchName, type BenchPlan, benchUsage, readPlan, UsageError } from './command-line.ts';
import { thisMachine, versions } from './machine.ts';
import { Findings, type Row } from './rows.ts';
import type { Session } from './session.ts';
import { tableOf } from './table.ts';

/** The last line of output, where it is asked for. */
export interface BenchReport {
  readonly bench: string;
  readonly machine: ReturnType<typeof thisMachine>;
  readonly versions: ReturnType<typeof versions>;
  readonly rows: readonly Row[];
}

const interrupted = 130;

async function main(args: readonly string[]): Promise<number> {
  let plan: BenchPlan | undefined;
  try {
    plan = readPlan(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return 2;
  }
  if (plan === undefined) {
    console.log(benchUsage);
    return 0;
  }
  return run(plan);
}

async function run(plan: BenchPlan): Promise<number> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop.abort(new Error(`ended by ${signal}`)));
  }
  const findings = new Findings();
  const session: Session = {
    signal: stop.signal,
    findings,
    say: (sentence) => console.error(sentence),
  };
  const machine = thisMachine();
  let code = 0;
  for (const name of plan.names) {
    try {
      await benches[name](session, plan);
    } catch (error) {
      if (stop.signal.aborted) {
        console.error('ended before it was done; nothing is left behind');
        return interrupted;
      }
      // What was measured before counts, and so may the others.
      console.error(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
      code = 1;
    }
  }
  const { rows } = findings;
  for (const line of tableOf(rows)) console.log(line);
  if (plan.json) {
    const report: BenchReport = { bench: plan.names.join(','), machine, versions: versions(), rows };
    console.log(JSON.stringify(report));
  }
  return code;
}

const benches: Readonly<Record<BenchName, (session: Session, plan: BenchPlan) => Promise<void>>> = {
  scale: (session, plan) => scale(session, plan.scale),
  storm: (session, plan) => storm(session, plan.storm),
  handover: (session, plan) => handover(session, plan.handover),
  recovery: (session, plan) => recovery(session, plan.recovery),
  simulation: (session, plan) => simulation(session, plan.simulation),
};

// Whatever is left to wait for is no part of the bench.
process.exit(await main(process.argv.slice(2)));
