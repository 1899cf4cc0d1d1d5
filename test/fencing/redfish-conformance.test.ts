// The Redfish driver does what every driver has to do, with a controller that misbehaves in front of it.
import { type DeviceCondition, type FencerBench, fencerConformance } from '@liberator/core/fencing';
import type { BmcFaults, BmcMachineFaults } from '@liberator/simulator';
import { describe, it } from 'vitest';
import { otherUuid, password, RedfishStage, targetOf, username, uuid } from './redfish-stage.ts';

const slowMs = 1_000;

const conditions: Readonly<Record<DeviceCondition, [BmcFaults, BmcMachineFaults]>> = {
  well: [{}, {}],
  slow: [{ slowMs }, {}],
  hanging: [{ hang: true }, {}],
  refusing: [{ unavailable: {} }, {}],
  unreachable: [{ reset: true }, {}],
  stuck: [{}, { stuck: true }],
};

const bench = (system: string | undefined): FencerBench => ({
  slowMs,
  async open() {
    let changes = 0;
    const stage = await RedfishStage.open({
      bmc: {
        machines: [
          { name: 'node-1', uuid, offMs: 30, onPower: () => changes++ },
          { name: 'node-2', uuid: otherUuid },
        ],
      },
      fencer: { timeoutMs: 8_000, ...(system !== undefined && { system }) },
    });
    const { bmc } = stage;
    return {
      fencer: () => stage.makeFencer(),
      target: targetOf({ labels: { system: 'node-1' } }),
      wrongTarget: targetOf({
        labels: { system: 'node-1' },
        machine: { systemUuid: '5a5a5a5a-0035-5810-8052-b4c04f4a4d31', machineId: '', providerId: '' },
      }),
      secrets: [username, password, Buffer.from(`${username}:${password}`).toString('base64')],
      harms: () =>
        bmc.requests
          .filter(({ method }) => method === 'POST')
          .map(({ path, resetType, at }) => ({ what: `${resetType} at ${path}`, at })),
      truth: () => ({ fenced: bmc.machine('node-1').power === 'Off', changes }),
      set(condition) {
        [bmc.faults, bmc.machine('node-1').faults] = conditions[condition];
      },
      [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
    };
  },
  except: { device: 'its key comes from whoever configures it, and the agent tries that' },
});

describe.each([undefined, '{label.system}'])('the Redfish fencer, with the system %s', (system) => {
  it.concurrent.each(fencerConformance(bench(system)))('$name', ({ run }) => run());
});
