// What happens to the power switch: it is slow for a while, does not answer or answers late, or lies.
import type { SwitchCondition } from '../world/power-switch.ts';
import type { Fault } from './fault.ts';

const switchTrouble = (manner: Exclude<SwitchCondition, 'fine'>, weight: number): Fault => ({
  kind: `switch-${manner}`,
  weight,
  longestMs: 300_000,
  draw: () => ({ target: '' }),
  begin: (world) => {
    world.powerSwitch.become(manner);
    return () => world.powerSwitch.become('fine');
  },
});

export const fencerFaults: readonly Fault[] = [
  switchTrouble('slow', 1),
  switchTrouble('failing', 1),
  switchTrouble('late', 1),
  switchTrouble('mute', 1),
  switchTrouble('lying', 1),
];
