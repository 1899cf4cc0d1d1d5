// From the named fencers of the configuration to what core's ladder asks.
import {
  agentFencer,
  type Fencer,
  type KubernetesReader,
  manualFencer,
  noneFencer,
  type Transport,
} from '@liberator/core';
import type { Config } from '../config/config.ts';
import { agentOptions } from '../config/fencers/agent.ts';
import type { FencerConfig } from '../config/fencers/fencer.ts';
import { deviceIn } from './device.ts';
import { buildNetworkFence } from './network-fence.ts';
import { buildRedfish } from './redfish.ts';
import { buildWatchdog } from './watchdog.ts';
import { buildWebhook } from './webhook.ts';

/** What fencers need that have no device of their own. */
export interface FencerSurroundings {
  readonly reader: KubernetesReader;
  /** For checks of what the agent's account may do; absent where somebody else asks, whose rights say nothing about that. */
  readonly transport?: Transport;
}

/** All that a policy may name. */
export function buildFencers(fencers: Config['fencers'], around: FencerSurroundings): readonly Fencer[] {
  return [
    manualFencer,
    noneFencer,
    ...Object.entries(fencers).map(([name, config]) => build(name, config, around)),
  ];
}

/** A driver that is added to the configuration is an error of the type checker here. */
function build(name: string, config: FencerConfig, around: FencerSurroundings): Fencer {
  const { reader } = around;
  switch (config.driver) {
    case 'agent':
      return { ...agentFencer(agentOptions(name, config)), ...deviceIn(config) };
    case 'networkFence':
      return buildNetworkFence(name, config, around);
    case 'redfish':
      return buildRedfish(name, config);
    case 'watchdog':
      return buildWatchdog(name, config, reader);
    case 'webhook':
      return buildWebhook(name, config);
  }
}
