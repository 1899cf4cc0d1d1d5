// Whether a policy leaves a watchdog the time that it takes: a rung that ends before its proof could come is none.
import { formatDuration } from '../text/duration.ts';
import type { Config, PolicyConfig } from './config.ts';
import type { Problem } from './problem.ts';

/** What a rung that only waits has by default: see `for` of a rung. */
const defaultForMs = 300_000;

/** @param path - Of the policy's `fencing`. */
export function watchdogContradictions(
  { ladder, drivers = [], giveUpAfter }: PolicyConfig['fencing'],
  fencers: Config['fencers'],
  path: readonly PropertyKey[],
): readonly Problem[] {
  const rungs = ladder ?? drivers.map((fencer) => ({ fencer, for: undefined }));
  return rungs.flatMap(({ fencer, for: forMs }, index) => {
    const config = Object.hasOwn(fencers, fencer) ? fencers[fencer] : undefined;
    if (config?.driver !== 'watchdog') return [];
    const { longestWait } = config;
    const least = `longestWait of ${fencer} (${formatDuration(longestWait)})`;
    const problems: Problem[] = [];
    const place = ladder === undefined ? [...path, 'drivers', index] : [...path, 'ladder', index, 'for'];
    if ((forMs ?? defaultForMs) <= longestWait) {
      const found = formatDuration(forMs ?? defaultForMs);
      problems.push({
        path: place,
        message: `expected more than ${least}, or its turn would be over before the proof could come; found ${found}`,
      });
    }
    if (giveUpAfter !== undefined && giveUpAfter <= longestWait) {
      problems.push({
        path: [...path, 'giveUpAfter'],
        message: `expected more than ${least}; found ${formatDuration(giveUpAfter)}`,
      });
    }
    return problems;
  });
}
