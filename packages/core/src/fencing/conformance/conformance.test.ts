// The suite finds each fault by the case that is about it, and nothing in a driver without one.
import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { type Fault, faults, switchedMachine } from '../../testing/switched-machine.ts';
import { during } from '../../testing/wire.ts';
import type { FencerCaseId } from './bench.ts';
import { fencerConformance } from './conformance.ts';

/** Which cases a driver with that fault doesn't pass, and what they say. */
async function failuresOf(fault?: Fault): Promise<ReadonlyMap<FencerCaseId, string>> {
  const failures = new Map<FencerCaseId, string>();
  const clock = new ManualClock({ turns: 2 });
  const cases = fencerConformance({ clock, open: async () => switchedMachine(clock, fault) });
  const all = cases.map(({ id, run }) =>
    run().catch((error: unknown) => failures.set(id, error instanceof Error ? error.message : String(error))),
  );
  await during(clock, Promise.all(all), 500);
  return failures;
}

/** Most faults are the business of one case; what is wrong in several ways fails several. */
const found: Readonly<Record<Fault, readonly FencerCaseId[]>> = {
  'gives a proof that there is none of': ['proof'],
  'gives a proof that it did not announce': ['proof'],
  'proves nothing': ['proof'],
  'has no words': ['proof'],
  'dates its evidence by a duration': ['proof'],
  'believes an order': ['stuck'],
  'cuts the power anew each time': ['again'],
  'takes "already off" for a failure': ['again'],
  'cycles the power after a change of leader': ['again'],
  'needs the Node': ['gone-node'],
  'takes any machine': ['wrong-machine'],
  'asks again about the wrong machine': ['wrong-machine'],
  'repeats an order on an old permit': ['permit'],
  'takes no refusal': ['refused'],
  'asks for no permit': ['permit', 'refused', 'expired'],
  'asks before it looks': ['expired'],
  'goes on after its permit': ['aborted'],
  'leaves a program behind': ['aborted'],
  'waits for a device in vain': ['hanging'],
  'has no time-out of its own': ['in-time'],
  'ignores its signal': ['aborted', 'hanging'],
  'rejects for trouble': ['trouble'],
  'rejects a look for trouble': ['trouble'],
  'rejects to take back for trouble': ['trouble'],
  'never recovers': ['trouble'],
  'gives up an unreachable device for good': ['trouble'],
  'counts milliseconds': ['stable'],
  'counts milliseconds of a look': ['stable'],
  'repeats what the device says': ['secrets'],
  'logs its password': ['secrets'],
  'writes its password to stderr': ['secrets'],
  'has its password in its evidence': ['secrets'],
  'has its password on a command line': ['secrets'],
  'acts when it looks': ['check'],
  'guesses the power': ['check'],
  'answers a look with a word of its own': ['check'],
  'is always ready': ['check-trouble'],
  'looks for ever': ['trouble', 'secrets', 'check-trouble'],
  'looks at any machine': ['check-wrong-machine'],
  'toggles to take back': ['unfence'],
  'takes back without a permit': ['unfence-permit'],
  'names another device each time': ['device'],
  'needs labels to name its device': ['device'],
};

describe('the conformance suite', () => {
  it('finds nothing in a driver that does everything right', async () => {
    expect([...(await failuresOf())]).toEqual([]);
  });

  it.each(faults)('finds a driver that %s', async (fault) => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    const failures = await failuresOf(fault);
    expect(new Set(failures.keys()), [...failures.values()].join('\n')).toEqual(new Set(found[fault]));
    for (const message of failures.values()) expect(message).not.toContain('correct horse');
  });

  it('has a driver for each of its cases that passes all others', () => {
    const ids = fencerConformance({ open: () => Promise.reject(new Error('not now')) }).map(({ id }) => id);
    const alone = Object.values(found).flatMap((cases) => (cases.length === 1 ? cases : []));
    expect(new Set(alone)).toEqual(new Set(ids));
  });

  it('leaves out what does not apply, only by its name and for a reason', () => {
    const open = () => Promise.reject(new Error('not now'));
    const ids = fencerConformance({ open, except: { unfence: 'a reset is over by itself' } }).map(
      ({ id }) => id,
    );
    expect(ids).not.toContain('unfence');
    expect(ids).toContain('unfence-permit');
    expect(() => fencerConformance({ open, except: { unfence: ' ' } })).toThrow('expected a reason');
    expect(() => fencerConformance({ open, except: { unfenced: 'typo' } as object })).toThrow(
      'found "unfenced"',
    );
  });

  it('does not pass over what a driver or a bench lacks', async () => {
    const clock = new ManualClock({ turns: 2 });
    const open = async () => {
      const { wrongTarget: _, ...scene } = switchedMachine(clock);
      const fencer = () => {
        const { check: _check, unfence: _unfence, ...bare } = scene.fencer();
        return bare;
      };
      return { ...scene, secrets: [], fencer };
    };
    const lacking: string[] = [];
    const all = fencerConformance({ clock, open }).map(({ id, run }) => run().catch(() => lacking.push(id)));
    await during(clock, Promise.all(all), 500);
    expect(new Set(lacking)).toEqual(
      new Set([
        'wrong-machine',
        'secrets',
        'check',
        'check-trouble',
        'check-wrong-machine',
        'unfence',
        'unfence-permit',
      ]),
    );
  });

  it('leaves the output of the process as it found it', async () => {
    const before = [console.log, process.stdout.write, process.stderr.write];
    await failuresOf();
    expect([console.log, process.stdout.write, process.stderr.write]).toEqual(before);
  });
});
