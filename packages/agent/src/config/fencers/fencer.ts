// The named fencers of the configuration: one shape a driver, told apart by `driver`.
import * as z from 'zod';
import type { Problem } from '../problem.ts';
import { type AgentConfig, agent } from './agent.ts';
import { type NetworkFenceConfig, networkFence } from './network-fence.ts';
import { type RedfishConfig, redfish, redfishContradictions } from './redfish.ts';
import { type WatchdogConfig, watchdog } from './watchdog.ts';
import { type WebhookConfig, webhook } from './webhook.ts';

/** One named fencer as the rest of the agent sees it. */
export type FencerConfig = AgentConfig | NetworkFenceConfig | RedfishConfig | WatchdogConfig | WebhookConfig;

/** A driver that is added here is built in src/fencers. */
export const fencer: z.ZodType<FencerConfig> = z.discriminatedUnion('driver', [
  agent,
  networkFence,
  redfish,
  watchdog,
  webhook,
]);

/** What contradicts itself in the keys of one fencer; paths begin at the fencer. */
export function contradictionsIn(config: FencerConfig): readonly Problem[] {
  switch (config.driver) {
    case 'networkFence':
      return [];
    case 'redfish':
      return redfishContradictions(config);
    default:
      return [];
  }
}
