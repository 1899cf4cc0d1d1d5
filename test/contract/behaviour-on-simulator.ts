// The simulator as a cluster whose machines can be broken, on virtual time: minutes of the story take no time.
import { Simulator, seededRandom, VirtualClock } from '@liberator/simulator';
import type { BehaviourTarget } from './behaviour-story.ts';

/** Starts a simulated cluster with the timings that a real one is given for the same tests. */
export async function startSimulatedBehaviour(): Promise<BehaviourTarget> {
  const clock = new VirtualClock();
  const timings = { nodeMonitorGracePeriodMs: 20_000, tolerationMs: 15_000 };
  const simulator = await Simulator.start({
    clock,
    random: seededRandom('behaviour'),
    nodes: ['a', 'b', 'c'].map((letter) => ({ name: `node-${letter}`, zone: `zone-${letter}` })),
    timings: {
      nodeMonitorGracePeriodMs: timings.nodeMonitorGracePeriodMs,
      defaultTolerationMs: timings.tolerationMs,
    },
    onError: (error) => {
      throw error;
    },
  });
  const transport = simulator.transport({ user: 'tester' });
  return {
    transport,
    nodes: simulator.nodes.map((machine) => machine.name),
    timings,
    attachesVolumes: true,
    now: () => clock.now(),
    pass: (ms) => clock.advance(ms),
    crash: (node) => simulator.machine(node).crash(),
    start(node) {
      const machine = simulator.machine(node);
      if (machine.isAlive()) machine.startKubelet();
      else machine.powerOn({ bootMs: 0 });
    },
    stopKubelet: (node) => simulator.machine(node).stopKubelet(),
    pause: (node) => simulator.machine(node).pause(),
    resume: (node) => simulator.machine(node).resume(),
    cut: (node) => simulator.machine(node).cut(),
    heal: (node) => simulator.machine(node).heal(),
    async close() {
      await transport.close();
      await simulator.stop();
    },
  };
}
