// The driver that runs fence agents keeps to what every driver has to.
import { describe, it } from 'vitest';
import { openAgentScene } from '../../testing/agent-scene.ts';
import { fencerConformance } from '../conformance/conformance.ts';

const slowMs = 1_200;

describe('the driver that runs fence agents', () => {
  const cases = fencerConformance({
    open: () => openAgentScene(slowMs),
    slowMs,
    // A shell has to be started, also on a busy machine.
    arrivalMs: 300,
    graceMs: 2_000,
    patienceMs: 15_000,
  });
  // Most of it is waiting.
  it.concurrent.each(cases)('$name', { timeout: 90_000 }, ({ run }) => run());
});
