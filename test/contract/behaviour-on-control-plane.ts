// A real control plane with hollow kubelets as a cluster whose machines can be broken, on real time.
import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport, loadKubeConfig } from '@liberator/core';
import { ControlPlane } from '../control-plane/cluster.ts';
import type { BehaviourTarget } from './behaviour-story.ts';

/** Starts a control plane whose controller manager is quicker to judge, as these tests don't measure its defaults. */
export async function startRealBehaviour(): Promise<BehaviourTarget> {
  // A node that comes back needs a status report and a round of the monitor to lose its taints: pods must bear that long.
  const timings = { nodeMonitorGracePeriodMs: 20_000, tolerationMs: 30_000 };
  const cluster = await ControlPlane.start({
    nodes: 3,
    timings: {
      nodeMonitorGracePeriodMs: timings.nodeMonitorGracePeriodMs,
      unreachableTolerationMs: timings.tolerationMs,
      notReadyTolerationMs: timings.tolerationMs,
    },
  });
  const transport = createTransport(loadKubeConfig({ path: cluster.kubeconfigPath }));
  return {
    transport,
    nodes: cluster.nodes.map((node) => node.name),
    timings,
    attachesVolumes: false,
    now: () => performance.now(),
    pass: (ms) => sleep(ms),
    crash: (node) => cluster.crash(node),
    start: (node) => cluster.start(node),
    stopKubelet: (node) => cluster.stopKubelet(node),
    pause: (node) => cluster.pause(node),
    resume: (node) => cluster.resume(node),
    cut: (node) => cluster.cut(node),
    heal: (node) => cluster.heal(node),
    async close() {
      await transport.close();
      await cluster.stop();
    },
  };
}
