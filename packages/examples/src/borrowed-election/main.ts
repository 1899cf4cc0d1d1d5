// `npm run example:borrowed-election`: three replicas want to do a job that must be done once; the first is stopped in the middle.
import { sleep } from '@liberator/core';
import { namespaceObject } from '../demo/cluster/create-objects.ts';
import { DemoFailure } from '../demo/failure.ts';
import { type Example, runExample, type Stage } from '../place/run-example.ts';
import { runOnceADay } from './once-a-day.ts';

const example: Example = {
  name: 'borrowed-election',
  about: `Three replicas of a program want to do a job that must be done once in the
cluster. The first one is stopped in the middle; another does it whole.`,
  play,
};

const namespace = 'liberator-demo';
const tables = 4;
const tableMs = 1_500;

async function play({ place, tell, signal }: Stage): Promise<void> {
  await place.create([namespaceObject(namespace)]);
  const stops = new Map<string, AbortController>();
  let backups = 0;
  let interrupted = false;

  const replica = (identity: string): Promise<void> => {
    const stop = new AbortController();
    stops.set(identity, stop);
    return runOnceADay(
      {
        identity,
        namespace,
        transport: place.connection(identity),
        leaseTransport: place.connection(`${identity}-lease`),
        clock: place.clock,
        random: place.random,
        tell: (text) => tell(identity, text),
        async job(term) {
          for (let table = 1; table <= tables; table++) {
            // What a rolling update would do to the first one that gets to the second table.
            if (table === 2 && !interrupted) {
              interrupted = true;
              stop.abort();
            }
            if (!(await sleep(place.clock, tableMs, term.signal))) return;
            tell(identity, `copied table ${table} of ${tables}`, 'quiet');
          }
          backups += 1;
        },
      },
      stop.signal,
    );
  };

  const stopAll = (): void => {
    for (const stop of stops.values()) stop.abort();
  };
  signal.addEventListener('abort', stopAll, { once: true });
  const replicas = ['replica-1', 'replica-2', 'replica-3'].map(replica);
  await place.allSettled(replicas);
  await Promise.all(replicas);
  signal.throwIfAborted();
  if (backups !== 1) throw new DemoFailure(`expected one backup, found ${backups}`);
  tell('example', `one backup was made, though ${replicas.length} replicas wanted to`, 'good');
}

process.exit(await runExample(example, process.argv.slice(2)));
