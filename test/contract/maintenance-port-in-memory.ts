// The cluster in memory on which core tests maintenance, held against the contract of its port.
import { ManualClock } from '../../packages/core/src/testing/manual-clock.ts';
import { MemoryMaintenance } from '../../packages/core/src/testing/memory-maintenance.ts';
import { noAnswerError } from '../../packages/core/src/testing/memory-refusal.ts';
import type { MaintenancePort } from './maintenance-port.ts';

export async function startMaintenanceInMemory(): Promise<MaintenancePort> {
  const clock = new ManualClock({ turns: 1 });
  const cluster = new MemoryMaintenance(clock);
  cluster.putNode('node-2');
  cluster.putPod('db-0', { owner: 'StatefulSet/db', claim: 'data-db-0', labels: { app: 'db' } });
  cluster.putPod('alone', { owner: null, labels: { app: 'alone' } });
  return {
    cluster,
    pass: (ms) => clock.advance(ms),
    close: async () => {},
    changeNode: (name, change) => cluster.changeNodeAside(name, change),
    removeNode: (name) => void cluster.nodes.delete(name),
    scale: (set, replicas) => cluster.scale(set, replicas),
    removeSet: (set) => cluster.removeSet(set),
    protect: (what, budget) => cluster.protect(budget, { app: what }),
    unprotect: (budget) => void cluster.budgets.delete(`default/${budget}`),
    refuse(pod, message) {
      cluster.forbids = (target) => (target.metadata.name === pod ? { message } : undefined);
    },
    breakDown() {
      cluster.before = (method) => {
        throw noAnswerError({ method, target: '' }, false);
      };
    },
  };
}
