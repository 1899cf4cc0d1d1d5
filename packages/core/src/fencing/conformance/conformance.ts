// What every driver has to be able to do, as cases that any test runner can run.
import type { FencerBench, FencerCaseId } from './bench.ts';
import type { FencerCase } from './case.ts';
import { aborted, expired, permit, refusedPermit, unfencePermit } from './harm-cases.ts';
import { check, checkTrouble, checkWrongMachine, device, unfence } from './look-cases.ts';
import { hanging, inTime, trouble } from './patience-cases.ts';
import { again, goneNode, proof, stuck, wrongMachine } from './proof-cases.ts';
import { ConformanceError, Trial } from './trial.ts';
import { secrets, stable } from './word-cases.ts';

/** One thing that a driver has to be able to do. */
export interface ConformanceCase {
  /** Stable, to except it by. */
  readonly id: FencerCaseId;
  /** A sentence that the driver is the subject of. */
  readonly name: string;
  /** Rejects with a sentence that says what is wrong. Cases may run beside each other. */
  run(): Promise<void>;
}

const cases: Readonly<Record<FencerCaseId, FencerCase>> = {
  proof,
  stuck,
  again,
  'gone-node': goneNode,
  'wrong-machine': wrongMachine,
  permit,
  refused: refusedPermit,
  expired,
  aborted,
  hanging,
  'in-time': inTime,
  trouble,
  stable,
  secrets,
  check,
  'check-trouble': checkTrouble,
  'check-wrong-machine': checkWrongMachine,
  unfence,
  'unfence-permit': unfencePermit,
  device,
};

/**
 * The cases that a driver has to pass before anybody's data depends on it. They know no test runner:
 *
 * @example
 * ```ts
 * it.each(fencerConformance(bench))('$name', ({ run }) => run());
 * ```
 *
 * What they can't see: whether the real device does what the one of the bench does. For that there is a drill.
 *
 * @throws Error when {@link FencerBench.except} names no case, or gives no reason.
 */
export function fencerConformance(bench: FencerBench): readonly ConformanceCase[] {
  const except = bench.except ?? {};
  for (const [id, why] of Object.entries(except)) {
    if (!Object.hasOwn(cases, id))
      throw new Error(`except: expected one of ${Object.keys(cases).join(', ')}, found "${id}"`);
    if (why.trim() === '') throw new Error(`except.${id}: expected a reason, found none`);
  }
  return Object.entries(cases)
    .filter(([id]) => !Object.hasOwn(except, id))
    .map(([id, { name, run }]) => ({
      id: id as FencerCaseId,
      name,
      run: () =>
        run(async (play) => {
          await using scene = await bench.open();
          try {
            await play(new Trial(bench, scene));
          } catch (error) {
            throw error instanceof ConformanceError ? withoutSecrets(error, scene.secrets) : error;
          }
        }),
    }));
}

/** What a driver let out need not go on to a log of tests. */
function withoutSecrets({ message }: ConformanceError, secrets: readonly string[]): ConformanceError {
  return new ConformanceError(secrets.reduce((left, secret) => left.replaceAll(secret, '[SECRET]'), message));
}
