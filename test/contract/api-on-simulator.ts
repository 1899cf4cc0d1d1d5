// The simulator as the target of the API's contract: a whole one, served over HTTP.
import { Simulator } from '@liberator/simulator';
import type { ApiTarget } from './target.ts';

/** Starts a simulated cluster without machines. */
export async function startSimulatedApi(): Promise<ApiTarget> {
  const user = 'stranger';
  const cluster = await Simulator.start({
    nodes: 0,
    http: true,
    authorize: (access) => access.user !== user,
  });
  return {
    kubeconfig: cluster.kubeconfig(),
    stranger: { user, kubeconfig: cluster.kubeconfig({ user }) },
    forgetHistory: async () => cluster.forgetHistory(),
    close: () => cluster.stop(),
  };
}
