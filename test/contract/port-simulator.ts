// The simulated cluster behind the ports that are tried on it, and what a test changes there by another hand.
import {
  type ApiHandler,
  type ResourceType,
  resources,
  Simulator,
  seededRandom,
  VirtualClock,
} from '@liberator/simulator';
import { refusing } from './refusing.ts';

/** Who builds the stories and changes them: nobody refuses anything to it. */
export const tester = { user: 'tester' } as const;

export interface PortSimulator {
  readonly simulator: Simulator;
  readonly clock: VirtualClock;
  /** Admission in front of the server. */
  readonly refusals: ReturnType<typeof refusing>;
  /** Puts what `to` makes of an object in its place. */
  change<T>(type: ResourceType, where: string | undefined, name: string, to: (one: T) => T): void;
  scale(set: string, replicas: number): void;
  removeSet(set: string): void;
}

/** Two nodes, and whatever the story puts onto them; its sets are in `namespace`. */
export async function startPortSimulator(seed: string, namespace: string): Promise<PortSimulator> {
  const clock = new VirtualClock();
  const refusals = refusing();
  const simulator = await Simulator.start({
    clock,
    random: seededRandom(seed),
    nodes: 2,
    inFront: (server: ApiHandler) => refusals.inFront(server),
    onError: (error) => {
      throw error;
    },
  });
  const { store } = simulator;
  const change: PortSimulator['change'] = <T>(
    type: ResourceType,
    where: string | undefined,
    name: string,
    to: (one: T) => T,
  ): void =>
    void store.modify<object>(
      type,
      where,
      name,
      (draft) => {
        Object.assign(draft, structuredClone(to(draft as T)));
        return true;
      },
      tester,
    );
  return {
    simulator,
    clock,
    refusals,
    change,
    scale: (set, replicas) =>
      change<{ spec?: object }>(resources.statefulsets, namespace, set, (one) => ({
        ...one,
        spec: { ...one.spec, replicas },
      })),
    removeSet: (set) =>
      void store.delete(resources.statefulsets, namespace, set, { propagationPolicy: 'Background' }, tester),
  };
}
