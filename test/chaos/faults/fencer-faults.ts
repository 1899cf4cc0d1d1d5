// What happens to the power switch: it is slow for a while, or doesn't answer.
import type { Fault } from './fault.ts';

const switchTrouble: Fault = {
  kind: 'switch-trouble',
  weight: 3,
  longestMs: 300_000,
  draw: (dice) => ({ target: '', manner: dice.of(['slow', 'failing']) }),
  begin: (world, { manner }) => {
    world.powerSwitch.become(manner === 'slow' ? 'slow' : 'failing');
    return () => world.powerSwitch.become('fine');
  },
};

export const fencerFaults: readonly Fault[] = [switchTrouble];
