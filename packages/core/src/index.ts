// What users of the library may rely on. Named exports only.
export { type Clock, type Random, sleep, systemClock, systemRandom, type TimerHandle } from './clock.ts';
export type * from './kubernetes/objects.ts';
export {
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from './kubernetes/transport.ts';
