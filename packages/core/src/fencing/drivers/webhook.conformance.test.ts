// The webhook driver keeps to what every driver has to.
import { describe, it } from 'vitest';
import { startReceiver } from '../../testing/webhook-receiver.ts';
import { fencerConformance } from '../conformance/conformance.ts';

const slowMs = 400;

describe('the webhook driver', () => {
  const cases = fencerConformance({
    open: () => startReceiver(slowMs),
    slowMs,
    arrivalMs: 100,
    graceMs: 500,
    patienceMs: 10_000,
  });
  it.concurrent.each(cases)('$name', ({ run }) => run());
});
