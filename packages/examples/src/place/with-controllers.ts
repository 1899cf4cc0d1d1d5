// Runs controllers for as long as something else is done, and ends them in good order.
import type { Controller } from '@liberator/core';
import type { Place } from './place.ts';

/** Each host is asked once while it is well: only then does its silence mean something later. */
const calmMs = 4_000;

/**
 * Starts the controllers, waits until one of them leads and sees, then acts. When `act` is done or has failed, all of
 * them have stopped.
 *
 * @throws whatever `act` or a controller throws.
 */
export async function withControllers(
  place: Place,
  controllers: readonly Controller[],
  act: () => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const running = controllers.map((controller) => controller.run(stop.signal));
  const failure = Promise.all(running).then(() => {
    if (!stop.signal.aborted) throw new Error('expected the controllers to run, found that they ended');
  });
  try {
    await Promise.race([failure, ready(place, controllers).then(act)]);
  } finally {
    stop.abort();
    await place.allSettled(running);
  }
  await failure;
}

async function ready(place: Place, controllers: readonly Controller[]): Promise<void> {
  await place.until('a controller led and saw', () =>
    controllers.some(({ leading, blind }) => leading !== undefined && blind.length === 0),
  );
  const calmUntil = place.clock.now() + calmMs;
  await place.until('every host had answered', () => place.clock.now() >= calmUntil);
}
