// From the named fencers of the configuration to what core's ladder asks.
import { agentFencer, type Fencer, manualFencer, noneFencer } from '@liberator/core';
import type { Config } from '../config/config.ts';
import { agentOptions } from '../config/fencers/agent.ts';
import type { FencerConfig } from '../config/fencers/fencer.ts';
import { deviceIn } from './device.ts';
import { buildRedfish } from './redfish.ts';
import { buildWatchdog, type LiveReader } from './watchdog.ts';
import { buildWebhook } from './webhook.ts';

/** What fencers need that have no device of their own. */
export interface FencerSurroundings {
  readonly reader: LiveReader;
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
function build(name: string, config: FencerConfig, { reader }: FencerSurroundings): Fencer {
  switch (config.driver) {
    case 'agent':
      return { ...agentFencer(agentOptions(name, config)), ...deviceIn(config) };
    case 'redfish':
      return buildRedfish(name, config);
    case 'watchdog':
      return buildWatchdog(name, config, reader);
    case 'webhook':
      return buildWebhook(name, config);
  }
}
