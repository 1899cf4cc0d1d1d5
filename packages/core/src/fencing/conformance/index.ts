// The suite that a driver of your own has to pass, part of `@liberator/core/fencing`.

export type {
  DeviceCondition,
  FenceHarm,
  FencerBench,
  FencerCaseId,
  FencerProcess,
  FencerScene,
  MachineTruth,
} from './bench.ts';
export { type ConformanceCase, fencerConformance } from './conformance.ts';
export { ConformanceError } from './trial.ts';
