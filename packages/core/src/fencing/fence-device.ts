// Which device that machines share a fencer would use for one of them: drivers are other people's code.
import type { FenceMachine } from './fence-target.ts';
import type { FenceDevice, Fencer } from './fencer.ts';

/** @throws whatever the driver throws, and TypeError for what is no device. */
export function deviceOf(fencer: Fencer, machine: FenceMachine): FenceDevice | undefined {
  const device = fencer.device?.(machine);
  if (device === undefined) return undefined;
  const { key, concurrency, switches = [] } = device;
  if (typeof key !== 'string' || key === '') throw new TypeError('it has no key');
  if (!(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw new TypeError(`expected a concurrency of at least 1, found ${String(concurrency)}`);
  }
  if (!Array.isArray(switches) || switches.some((one) => typeof one !== 'string')) {
    throw new TypeError('expected a list of texts as switches');
  }
  return { key, concurrency, switches };
}
