// The election Lease in memory on which core tests elections, held against the contract of its port.
import { ManualClock } from '../../packages/core/src/testing/manual-clock.ts';
import { MemoryLease, type RequestFate } from '../../packages/core/src/testing/memory-lease.ts';
import type { LeasePort } from './lease-port.ts';

export async function startLeaseInMemory(): Promise<LeasePort> {
  const clock = new ManualClock({ turns: 1 });
  const lease = new MemoryLease(clock);
  let fate: RequestFate = {};
  return {
    store: lease.storeFor({ clock, fate: () => fate }),
    pass: (ms) => clock.advance(ms),
    close: async () => {},
    touch: () => lease.touch(),
    remove: () => lease.delete(),
    hang() {
      fate = { lost: 'request' };
    },
    loseNextAnswer() {
      fate = { lost: 'answer' };
    },
    hear() {
      fate = {};
    },
  };
}
