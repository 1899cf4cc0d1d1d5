// Shorter than anybody would have them, so that silence and failover take seconds: for stories that aren't about timing.
import type { ClusterTimings } from '../control-plane/timings.ts';

export const fast: {
  readonly timings: ClusterTimings;
  readonly settings: object;
  readonly detection: object;
} = {
  timings: { nodeLeaseDurationMs: 20_000 },
  settings: {
    heartbeatInterval: '5s',
    election: { leaseDuration: '6s', renewDeadline: '4500ms', retryPeriod: '1s' },
    probe: { interval: '1s', timeout: '1s' },
  },
  detection: { suspectAfter: '7s', deadAfter: '12s' },
};
