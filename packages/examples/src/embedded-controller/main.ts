// `npm run example:embedded-controller`: two guardians watch over a database, its node crashes, and one of them acts.
import { agentNamespace } from '../demo/cluster/demo-cluster.ts';
import { startDatabase } from '../place/database.ts';
import { type Example, runExample, type Stage } from '../place/run-example.ts';
import { withControllers } from '../place/with-controllers.ts';
import { createGuardian } from './guardian.ts';

const example: Example = {
  name: 'embedded-controller',
  about: `Two replicas of a controller that embeds Liberator watch over a database; the
machine under it crashes, and one of them brings it back.`,
  play,
};

async function play(stage: Stage): Promise<void> {
  const { place, tell } = stage;
  const database = await startDatabase(stage);

  let recovered = false;
  const guardians = ['guardian-1', 'guardian-2'].map((name) => {
    const guardian = createGuardian({
      transport: place.connection(name),
      leaseTransport: place.connection(`${name}-lease`),
      probe: place.probe,
      namespace: agentNamespace,
      page: (text) => tell(name, text, 'warn'),
      clock: place.clock,
      random: place.random,
    });
    guardian.on('leadership', ({ identity, leader }) => {
      if (identity === leader) tell(name, 'leads');
    });
    guardian.on('takeover', ({ record: { result } }) => {
      recovered ||= result === 'recovered';
    });
    return guardian;
  });

  await withControllers(place, guardians, async () => {
    tell(database.node, 'crashes: its power is gone', 'bad');
    await place.crash(database.node);
    await place.until('the database was recovered', () => recovered);
  });
  tell('example', 'done', 'good');
}

process.exit(await runExample(example, process.argv.slice(2)));
