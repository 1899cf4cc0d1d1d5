// The two fencers that touch nothing: one waits for a human's word on this very death, the other has nothing to say.
import { describe, expect, it } from 'vitest';
import { confirmCommand } from '../marks/confirmed.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { FenceContext } from './fence-context.ts';
import type { FenceTarget } from './fence-target.ts';
import { confirmationIn, manualFencer } from './manual.ts';
import { noneFencer } from './none.ts';

const target: FenceTarget = {
  name: 'node-1',
  uid: 'uid-1',
  deathId: 'd1',
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: '' },
    addresses: [],
    labels: {},
    annotations: {},
  },
  howToConfirm: confirmCommand('node-1', 'd1'),
};
const context: FenceContext = {
  signal: new AbortController().signal,
  clock: new ManualClock({ turns: 1 }),
  permit: async () => ({ outcome: 'granted', validForMs: 5_000 }),
};

describe('the fencer "manual"', () => {
  const annotated = (value: string, by?: string, on: 'node' | 'record' = 'node'): FenceTarget => {
    const annotations = {
      'liberator.dev/confirmed-dead': value,
      ...(by !== undefined && { 'liberator.dev/confirmed-by': by }),
    };
    const confirmation = confirmationIn(annotations, 'd1', on);
    return { ...target, ...(confirmation && { confirmation }) };
  };

  it('waits for the annotation and prints the command that sets it', async () => {
    const result = await manualFencer.fence(target, context);
    expect(result).toMatchObject({ outcome: 'waiting' });
    expect(result.detail).toContain(
      'kubectl annotate --overwrite node node-1 liberator.dev/confirmed-dead=d1',
    );
    expect(result.detail).toContain(confirmCommand('node-1', 'd1'));
  });

  it('takes the id of this very death for a proof', async () => {
    expect(await manualFencer.fence(annotated('d1'), context)).toMatchObject({
      outcome: 'fenced',
      proof: 'confirmed-by-human',
    });
  });

  it('says who vouches, if they gave a name, and where', async () => {
    expect((await manualFencer.fence(annotated('d1', 'alice'), context)).detail).toBe(
      'confirmed by alice with liberator.dev/confirmed-dead',
    );
    expect((await manualFencer.fence(annotated('d1', '', 'record'), context)).detail).toBe(
      'confirmed by liberator.dev/confirmed-dead on the record, since the Node is gone',
    );
  });

  it.each(['d0', 'true', '', 'd1 '])(
    'takes "%s" for nothing: it names another death, or none',
    async (value) => {
      expect((await manualFencer.fence(annotated(value), context)).outcome).toBe('waiting');
    },
  );

  it('has no device that could be drilled', async () => {
    expect(await manualFencer.check?.(target, context)).toMatchObject({ outcome: 'no-device' });
  });
});

describe('the fencer "none"', () => {
  it('says that it did nothing', async () => {
    expect(await noneFencer.fence(target, context)).toMatchObject({ outcome: 'fenced', proof: 'none' });
    expect(await noneFencer.check?.(target, context)).toMatchObject({ outcome: 'no-device' });
  });
});
