// `npm run example:custom-guard-and-fencer`: a takeover waits for a ticket, then for the proof of a power strip.
import { Controller, connect, holdReasons, type Transport } from '@liberator/core';
import { agentNamespace } from '../demo/cluster/demo-cluster.ts';
import { DemoFailure } from '../demo/failure.ts';
import { startDatabase } from '../place/database.ts';
import { type Example, runExample, type Stage } from '../place/run-example.ts';
import { withControllers } from '../place/with-controllers.ts';
import { policy } from './policy.ts';
import { startPowerStrip } from './power-strip.ts';
import { powerSwitch } from './power-switch.ts';
import { ticketAnnotation, ticketGuard } from './ticket-guard.ts';

const example: Example = {
  name: 'custom-guard-and-fencer',
  about: `A node falls silent. A guard of our own holds its takeover until there is a
ticket; a fencer of our own proves, by a power strip, that the machine is off.`,
  play,
};

async function play(stage: Stage): Promise<void> {
  const { place, tell } = stage;
  const database = await startDatabase(stage);
  await using strip = await startPowerStrip(async (outlet) => tell('strip', `cuts the power of ${outlet}`));
  const identity = `example-${crypto.randomUUID()}`;
  const election = { namespace: agentNamespace, name: 'custom-guard-and-fencer' };
  const transport = place.connection('example');
  const controller = new Controller({
    ...connect({
      transport,
      leaseTransport: place.connection('example-lease'),
      namespace: agentNamespace,
      election,
      identity,
      clock: place.clock,
      random: place.random,
    }),
    election,
    identity,
    policies: [policy],
    fencers: [powerSwitch({ url: strip.url })],
    guards: [ticketGuard],
    probe: place.probe,
    clock: place.clock,
    random: place.random,
  });

  let waitsForTicket = false;
  let proof: string | undefined;
  let recovered = false;
  controller.on('decision', ({ decision }) => {
    for (const reason of holdReasons(decision)) tell('holds', reason, 'warn');
    waitsForTicket = decision.verdicts.some(
      ({ guard, verdict }) => guard === 'ticket' && verdict.outcome === 'hold',
    );
  });
  controller.on('takeover', ({ record, step, phase, detail }) => {
    if (phase !== 'started') tell(step, detail);
    proof = record.proof;
    recovered ||= record.result === 'recovered';
  });

  await withControllers(place, [controller], async () => {
    tell(database.node, 'falls silent', 'bad');
    await place.crash(database.node);
    await place.until('the guard asked for a ticket', () => waitsForTicket);
    await openTicket(transport, database.node);
    tell('on call', 'opens ticket OPS-1234');
    await place.until('the database was recovered', () => recovered);
  });
  if (proof !== 'powered-off') throw new DemoFailure(`expected the proof powered-off, found ${proof}`);
  tell('example', `done, with the proof "${proof}"`, 'good');
}

/** What `kubectl annotate node` does. */
async function openTicket(transport: Transport, node: string): Promise<void> {
  const { status, body } = await transport.send({
    method: 'PATCH',
    path: `/api/v1/nodes/${node}`,
    contentType: 'application/merge-patch+json',
    body: JSON.stringify({ metadata: { annotations: { [ticketAnnotation]: 'OPS-1234' } } }),
    signal: new AbortController().signal,
  });
  for await (const _ of body);
  if (status !== 200) throw new DemoFailure(`expected to annotate ${node}, found status ${status}`);
}

process.exit(await runExample(example, process.argv.slice(2)));
