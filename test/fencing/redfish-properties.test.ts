// Whatever goes wrong with a controller, in whatever order: no proof without the truth, and never another machine.

import type { BmcFaults, BmcMachineFaults } from '@liberator/simulator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { otherUuid, RedfishStage, uuid } from './redfish-stage.ts';

const settleMs = 30;

const controllerFaults: fc.Arbitrary<BmcFaults> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.record(
    {
      on: fc.constantFrom('resets' as const, 'reads' as const),
      slowMs: fc.constantFrom(5, 40),
      hang: fc.boolean(),
      reset: fc.boolean(),
      unauthorized: fc.boolean(),
      readOnly: fc.boolean(),
      unavailable: fc.constant({}),
      redirect: fc.constantFrom('here', 'http://127.0.0.1:1'),
      truncated: fc.boolean(),
      notJson: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
);

const machineFaults: fc.Arbitrary<BmcMachineFaults> = fc.record(
  {
    stuck: fc.boolean(),
    noPowerState: fc.boolean(),
    reads: fc.constantFrom('PoweringOff', 'Paused', 'off', ''),
    noUuid: fc.boolean(),
    swappedUuid: fc.boolean(),
    already: fc.constantFrom(400 as const, 409 as const),
    task: fc.constantFrom('ends' as const, 'fails' as const, 'never-ends' as const),
    needsIfMatch: fc.boolean(),
    // Within the settling time: nobody can prove what comes after.
    backOnAfterMs: fc.constantFrom(10, 20),
  },
  { requiredKeys: [] },
);

/** One at a time: beside others it would seldom be the one that counts. */
const oneMachineFault: fc.Arbitrary<BmcMachineFaults> = fc.constantFrom<BmcMachineFaults>(
  { backOnAfterMs: 20 },
  { stuck: true },
  { task: 'never-ends' },
  { reads: 'PoweringOff', stuck: true },
);

/** One thing, or a few, that go wrong: with all of them at once nothing would ever get far. */
const round = fc.record({
  controller: controllerFaults,
  machine: fc.oneof(fc.constant<BmcMachineFaults>({}), oneMachineFault, machineFaults),
  power: fc.constantFrom('On' as const, 'On' as const, 'Off' as const),
  other: fc.constantFrom<BmcMachineFaults>({}, { noUuid: true }, { uuid }),
  refused: fc.boolean(),
});

describe('a proof of the Redfish driver', () => {
  it.each([undefined, '{name}'])(
    'is the truth, and about no other machine; the chosen system is %s',
    async (system) => {
      let fenced = 0;
      await using stage = await RedfishStage.open({
        bmc: {
          machines: [
            { name: 'node-1', uuid },
            { name: 'node-2', uuid: otherUuid },
          ],
        },
        fencer: { settleMs, offWithinMs: 60, requestTimeoutMs: 60, ...(system !== undefined && { system }) },
      });
      const { bmc } = stage;
      const [machine, other] = [bmc.machine('node-1'), bmc.machine('node-2')];
      await fc.assert(
        fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 4 }), async (rounds) => {
          for (const { controller, power, refused, ...one } of rounds) {
            bmc.heal();
            machine.switch(power);
            bmc.faults = controller;
            machine.faults = one.machine;
            // A controller that gives one machine's UUID to another alone is a liar that only the operator's choice unmasks.
            if (system !== undefined || one.machine.noUuid !== true) other.faults = one.other;
            const [before, askedBefore] = [stage.resets.length, stage.permitsAsked];
            if (refused) stage.permits = [{ outcome: 'refused', code: 'alive', detail: 'it lives' }];
            const result = await stage.fence();
            stage.permits = [];
            if (result.outcome === 'fenced') {
              fenced++;
              expect(machine.power).toBe('Off');
              expect(refused).toBe(false);
            }
            const sent = stage.resets.slice(before);
            expect(sent.filter((reset) => reset !== 'node-1 ForceOff')).toEqual([]);
            expect(sent.length).toBeLessThanOrEqual(
              stage.permitsAsked -
                askedBefore -
                (refused ? Math.min(1, stage.permitsAsked - askedBefore) : 0),
            );
          }
        }),
        { numRuns: 40 },
      );
      // It must not hold for want of proofs.
      expect(fenced).toBeGreaterThan(3);
      expect(other.power).toBe('On');
    },
  );
});
