// The keys of a fencer that talks to the machine's own management controller.
import * as z from 'zod';
import { type CommonConfig, common, type DriverSchema, secretFile, template } from './common.ts';

export interface RedfishConfig extends CommonConfig {
  readonly driver: 'redfish';
  /** A template: `https://{annotation.example.com/bmc}`. */
  readonly address: string;
  /** Files, as templates. */
  readonly username: string;
  readonly password: string;
}

export const redfish: DriverSchema<RedfishConfig> = z.strictObject({
  driver: z.literal('redfish'),
  ...common,
  address: template(),
  username: secretFile(),
  password: secretFile(),
});
