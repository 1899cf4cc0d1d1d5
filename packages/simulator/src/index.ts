// What embedders' tests may rely on. Named exports only.
export { seededRandom } from './seeded-random.ts';
export {
  type RunOptions,
  VirtualClock,
  type VirtualClockOptions,
  VirtualTimeLimitError,
} from './virtual-clock.ts';
