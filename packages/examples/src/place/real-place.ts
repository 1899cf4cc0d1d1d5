// A real control plane that `npm run cluster` started, in real time.
import { setTimeout as pause } from 'node:timers/promises';
import {
  createTransport,
  kubeletProbe,
  loadKubeConfig,
  systemClock,
  systemRandom,
  type Transport,
} from '@liberator/core';
import { enterRealCluster } from '../demo/cluster/real-cluster.ts';
import { DemoFailure } from '../demo/failure.ts';
import { type Place, patienceMs } from './place.ts';

const lookEveryMs = 300;

export interface RealPlaceOptions {
  readonly kubeconfig: string;
  /** For files that it needs while it is there. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Called with one sentence for each thing that is taken back at the end. */
  readonly onNotice: (text: string) => void;
}

/** @throws UsageError, DemoFailure as {@link enterRealCluster}. */
export async function openRealPlace(options: RealPlaceOptions): Promise<Place> {
  const { kubeconfig, signal } = options;
  const cluster = await enterRealCluster(options);
  const transports: Transport[] = [];
  return {
    ...cluster,
    clock: systemClock,
    random: systemRandom,
    probe: kubeletProbe(),
    connection(purpose) {
      const transport = createTransport(loadKubeConfig({ path: kubeconfig }), { purpose });
      transports.push(transport);
      return transport;
    },
    async until(what, reached) {
      const limit = performance.now() + patienceMs;
      while (!(await reached())) {
        if (performance.now() > limit) throw new DemoFailure(`waited 3 minutes in vain until ${what}`);
        await pause(lookEveryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    },
    async allSettled(promises) {
      await Promise.allSettled(promises);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(transports.map((transport) => transport.close()));
      await cluster[Symbol.asyncDispose]();
    },
  };
}
