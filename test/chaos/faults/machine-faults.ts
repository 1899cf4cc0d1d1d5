// What happens to machines: they lose power, hang, restart, lose their kubelet or their network, alone or zone by zone.
import type { Machine } from '@liberator/simulator';
import type { Fault } from './fault.ts';

const minute = 60_000;

/** A fault of one machine, chosen at random. */
function ofMachine(
  kind: string,
  weight: number,
  longestMs: number,
  begin: (machine: Machine) => (() => void) | undefined,
): Fault {
  return {
    kind,
    weight,
    longestMs,
    draw: (dice, { nodes }) => ({ target: dice.of(nodes).name }),
    begin: (world, { target }) => begin(world.simulator.machine(target)),
  };
}

const crash = ofMachine('machine-crash', 6, 12 * minute, (machine) => {
  machine.crash();
  return () => machine.powerOn();
});

const hang = ofMachine('machine-hang', 3, 5 * minute, (machine) => {
  machine.pause();
  return () => machine.resume();
});

const reboot = ofMachine('machine-reboot', 3, 0, (machine) => {
  machine.reboot();
  return undefined;
});

const kubeletStop = ofMachine('kubelet-stop', 3, 6 * minute, (machine) => {
  machine.stopKubelet();
  return () => machine.startKubelet();
});

const flap = ofMachine('machine-flap', 3, 30_000, (machine) => {
  machine.cut();
  return () => machine.heal();
});

const cut = ofMachine('machine-cut', 5, 8 * minute, (machine) => {
  machine.cut();
  return () => machine.heal();
});

/** Only the way to the API server is gone: whoever knocks at the machine is answered. */
const apiCut = ofMachine('machine-api-cut', 4, 8 * minute, (machine) => {
  machine.cut({ from: 'api' });
  return () => machine.heal();
});

const zoneLoss: Fault = {
  kind: 'zone-loss',
  weight: 2,
  longestMs: 8 * minute,
  draw: (dice, { nodes }) => ({ target: dice.of(nodes).zone ?? '', manner: dice.of(['crash', 'cut']) }),
  begin: (world, { target, manner }) => {
    const inside = world.simulator.nodes.filter(({ spec }) => spec.zone === target);
    for (const machine of inside) manner === 'crash' ? machine.crash() : machine.cut();
    return () => {
      for (const machine of inside) manner === 'crash' ? machine.powerOn() : machine.heal();
    };
  },
};

/**
 * No node reaches the API: because a core switch is gone, and then no host is reached either, or because the API server
 * is down for everybody.
 */
const allCut: Fault = {
  kind: 'all-cut',
  weight: 2,
  longestMs: 4 * minute,
  disturbs: true,
  draw: (dice) => ({ target: '', manner: dice.of(['network', 'api-down']) }),
  begin: ({ simulator }, { manner }) => {
    const from = manner === 'network' ? 'everything' : 'api';
    for (const machine of simulator.nodes) machine.cut({ from });
    const serveAgain = from === 'api' ? simulator.faults.add({ effect: { kind: 'refuse' } }) : () => {};
    return () => {
      serveAgain();
      for (const machine of simulator.nodes) machine.heal();
    };
  },
};

export const machineFaults: readonly Fault[] = [
  crash,
  hang,
  reboot,
  kubeletStop,
  flap,
  cut,
  apiCut,
  zoneLoss,
  allCut,
];
