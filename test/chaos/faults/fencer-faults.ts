// What happens to power switches: one is slow for a while, does not answer or answers late, or lies.
import type { SwitchCondition } from '../world/power-switch.ts';
import type { Fault } from './fault.ts';

const switchTrouble = (manner: Exclude<SwitchCondition, 'fine'>): Fault => ({
  kind: `switch-${manner}`,
  weight: 1,
  longestMs: 300_000,
  // The first rung may be the one that works, or one that is broken anyway: then nothing happens to it.
  draw: (dice) => ({ target: dice.of(['first', 'last']) }),
  begin: (world, { target }) => {
    const victim = target === 'first' ? world.switches[0] : world.switches.at(-1);
    victim?.become(manner);
    return () => victim?.recover();
  },
});

export const fencerFaults: readonly Fault[] = [
  switchTrouble('slow'),
  switchTrouble('failing'),
  switchTrouble('hanging'),
  switchTrouble('late'),
  switchTrouble('mute'),
  switchTrouble('lying'),
];
