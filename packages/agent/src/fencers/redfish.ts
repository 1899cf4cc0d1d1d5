// From the keys of a Redfish fencer to the driver.
import { type Fencer, redfishFencer } from '@liberator/core';
import type { RedfishConfig } from '../config/fencers/redfish.ts';
import { deviceIn } from './device.ts';

export function buildRedfish(name: string, config: RedfishConfig): Fencer {
  const { address, hosts, username, password, ca, system, settle, requestTimeout, timeout } = config;
  return redfishFencer({
    name,
    address,
    username,
    password,
    ...(hosts !== undefined && { hosts }),
    ...(ca !== undefined && { ca }),
    ...(system !== undefined && { system }),
    ...(settle !== undefined && { settleMs: settle }),
    ...(requestTimeout !== undefined && { requestTimeoutMs: requestTimeout }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...deviceIn(config),
  });
}
