// From the named fencers of the configuration to what core's ladder asks.
import { agentFencer, type Fencer, manualFencer, noneFencer } from '@liberator/core';
import type { Config } from '../config/config.ts';
import { agentOptions } from '../config/fencers/agent.ts';
import type { FencerConfig } from '../config/fencers/fencer.ts';
import { deviceIn } from './device.ts';
import { buildRedfish } from './redfish.ts';
import { buildWebhook } from './webhook.ts';

/** All that a policy may name. */
export function buildFencers(fencers: Config['fencers']): readonly Fencer[] {
  return [manualFencer, noneFencer, ...Object.entries(fencers).map(([name, config]) => build(name, config))];
}

/** A driver that is added to the configuration is an error of the type checker here. */
function build(name: string, config: FencerConfig): Fencer {
  switch (config.driver) {
    case 'agent':
      return { ...agentFencer(agentOptions(name, config)), ...deviceIn(config) };
    case 'redfish':
      return buildRedfish(name, config);
    case 'webhook':
      return buildWebhook(name, config);
  }
}
