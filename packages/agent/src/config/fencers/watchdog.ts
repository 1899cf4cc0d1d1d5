// The keys of a fencer that waits until a machine's own watchdog must have reset it.
import { defaultGuardNamespace, defaultLongestWaitMs, leastMarginMs } from '@liberator/core';
import * as z from 'zod';
import { formatDuration } from '../../text/duration.ts';
import { duration, optionalDuration, text } from '../values.ts';
import type { DriverSchema } from './common.ts';

export interface WatchdogConfig {
  readonly driver: 'watchdog';
  /** How long one answer may take as a whole, in milliseconds. */
  readonly timeout?: number | undefined;
  /** Where the guards keep their Leases. */
  readonly namespace: string;
  /** What is waited beyond what guard and watchdog take, in milliseconds. */
  readonly margin: number;
  /** The longest wait that a guard may ask for, in milliseconds. */
  readonly longestWait: number;
}

export const watchdog: DriverSchema<WatchdogConfig> = z.strictObject({
  driver: z.literal('watchdog'),
  timeout: optionalDuration(),
  namespace: text()
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'expected a namespace: a-z, 0-9 and "-"')
    .default(defaultGuardNamespace),
  margin: duration(leastMarginMs).refine(
    (ms) => ms >= leastMarginMs,
    `expected at least ${formatDuration(leastMarginMs)}: what is waited can be made longer, never shorter`,
  ),
  longestWait: duration(defaultLongestWaitMs),
});
