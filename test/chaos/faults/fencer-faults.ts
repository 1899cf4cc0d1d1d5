// What happens to power switches: one is slow for a while, does not answer or answers late, or lies.
import type { SwitchCondition } from '../world/power-switch.ts';
import type { Fault } from './fault.ts';

const switchTrouble = (manner: Exclude<SwitchCondition, 'fine'>, weight = 1): Fault => ({
  kind: `switch-${manner}`,
  weight,
  longestMs: 300_000,
  // The first rung may be the one that works, or one that is broken anyway: then nothing happens to it.
  draw: (dice) => ({ target: dice.of(['first', 'last']) }),
  begin: (world, { target }) => {
    const victim = target === 'first' ? world.switches[0] : world.switches.at(-1);
    victim?.become(manner);
    return () => victim?.recover();
  },
});

/** A leader dies between what it asked a device for and the record of what came of it. */
const killedAtSwitch: Fault = {
  kind: 'leader-dies-at-switch',
  weight: 0,
  longestMs: 0,
  draw: () => ({ target: 'leader' }),
  begin: (world) => {
    world.killAtSwitch();
    return undefined;
  },
};

/** Those without weight come with ladders alone, drawn from dice of their own: other scenarios stay what they were. */
export const fencerFaults: readonly Fault[] = [
  switchTrouble('slow'),
  switchTrouble('failing'),
  switchTrouble('hanging'),
  switchTrouble('late'),
  switchTrouble('mute'),
  switchTrouble('lying'),
  switchTrouble('refusing', 0),
  switchTrouble('deaf', 0),
  switchTrouble('belated', 0),
  killedAtSwitch,
];
