// What an embedder may say about a simulated cluster, and what holds otherwise.
import type { Clock, Random } from '@liberator/core';
import type { NodeSpec } from './controllers/node-spec.ts';
import type { TimingOptions } from './controllers/timings.ts';
import type { Authorizer } from './http/authorization.ts';
import type { ApiHandler } from './http/request.ts';

/** Options of `Simulator.start`. */
export interface SimulatorOptions {
  /** How many machines, named `node-1` and so on, or what each is like. Default 3. */
  readonly nodes?: number | readonly NodeSpec[];
  /** Default: real time. A `VirtualClock` makes a week take seconds, and a run repeatable. */
  readonly clock?: Clock;
  /** Default `Math.random()`. `seededRandom(seed)` together with a `VirtualClock` repeats a run event for event. */
  readonly random?: Random;
  /** What differs from stock Kubernetes. With real time `{ speedUp: 20 }` is a good start. */
  readonly timings?: TimingOptions;
  /**
   * Whether to serve the API over HTTP on 127.0.0.1, too: for `kubectl` and for programs in other processes. Default
   * false: `Simulator.transport` reaches it in memory. Trade-off: what comes through sockets is not deterministic.
   */
  readonly http?: boolean | { readonly port?: number };
  /** Who may do what through the API. Default: everybody may do everything. Controllers and kubelets are not asked. */
  readonly authorize?: Authorizer;
  /**
   * Puts something in front of the API server, in memory and over HTTP alike: it gets the server and returns what is to
   * be asked instead. Default: nothing. This is where a test delays, breaks or forges answers.
   */
  readonly inFront?: (server: ApiHandler) => ApiHandler;
  /** How many events `Simulator.audit` keeps, the latest. Default 50000. */
  readonly auditLimit?: number;
  /**
   * Called when a controller fails in a way that a real one wouldn't, say at an object that no real server would have
   * let in; it goes on with a later attempt. Default: a process warning.
   */
  readonly onError?: (error: unknown, where: string) => void;
}

/** The machines that `nodes` asks for, complete with names and addresses of their own. */
export function machineSpecs(nodes: number | readonly NodeSpec[]): readonly NodeSpec[] {
  const specs =
    typeof nodes === 'number'
      ? Array.from({ length: nodes }, (_, at) => ({ name: `node-${at + 1}` }))
      : nodes;
  const names = new Set(specs.map((spec) => spec.name));
  if (names.size < specs.length) {
    throw new RangeError('expected nodes with names of their own, found one name twice: rename one of them');
  }
  return specs.map((spec, index) => ({ address: `10.0.${index >> 8}.${index & 255}`, ...spec }));
}
