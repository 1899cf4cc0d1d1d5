// The keys of a fencer that cuts a node off from its storage.
import * as z from 'zod';
import { text } from '../values.ts';
import { type CommonConfig, common, type DriverSchema } from './common.ts';

export interface NetworkFenceConfig extends CommonConfig {
  readonly driver: 'networkFence';
  /** Name of the NetworkFenceClass, which says whose volumes they are. */
  readonly class: string;
}

export const networkFence: DriverSchema<NetworkFenceConfig> = z.strictObject({
  driver: z.literal('networkFence'),
  ...common,
  class: text().regex(
    /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    'expected the name of a NetworkFenceClass: lower case letters, digits, "-" and "."',
  ),
});
