// What is yours to write: which machine a node is, and how it is switched off. Here it is a rack that exists in memory alone.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machines } from './receiver.ts';

/** A machine of the rack. */
export interface RackMachine {
  readonly id: string;
  readonly systemUUID: string;
  power: 'on' | 'off';
}

/** @param relayMs - How long its relays take. */
export function rack(all: readonly RackMachine[], relayMs: number): Machines {
  const turn = async (id: string, power: 'on' | 'off'): Promise<void> => {
    // In place of this: the API of your cloud or hypervisor. Wait until it says "off"; that it took the order proves nothing.
    await sleep(relayMs);
    const machine = all.find((one) => one.id === id);
    if (machine === undefined) throw new Error(`there is no ${id}`);
    machine.power = power;
  };
  return {
    async find({ machine: { systemUUID } }) {
      if (systemUUID === '') return undefined;
      const found = all.filter((one) => one.systemUUID.toLowerCase() === systemUUID.toLowerCase());
      // Two with one UUID is doubt, and doubt is a refusal.
      return found.length === 1 ? found[0] : undefined;
    },
    powerOff: (id) => turn(id, 'off'),
    powerOn: (id) => turn(id, 'on'),
  };
}
