// Nobody is freed on the word that a machine has fenced itself while it runs: whatever network, clocks, processes and people do.
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { edited } from '../mutations/edits.ts';
import { type SelfFencingDefect, selfFencingDefects } from './defects.ts';
import { type Happening, type Outcome, play, type Story, stories } from './story.ts';

const plain: Story = {
  seed: 1,
  grant: 10,
  timeout: 10,
  speeds: [1, 1, 1],
  slowestMs: 10,
  canDisarm: true,
  dogRunsOn: true,
  happenings: [],
};

const told = (happenings: readonly Happening[], more: Partial<Story> = {}): Promise<Outcome> =>
  play({ ...plain, ...more, happenings });

describe('a machine that guards itself', () => {
  it('is never said to have fenced itself while it runs', async () => {
    let proofs = 0;
    await fc.assert(
      fc.asyncProperty(stories(['machine-suspended']), async (story) => {
        const outcome = await play(story);
        expect(outcome.falseProofs).toEqual([]);
        proofs += outcome.proofs;
      }),
      { numRuns: 500 },
    );
    // Else nothing was tried.
    expect(proofs).toBeGreaterThan(500);
  });

  it('is never said to have fenced itself while it runs, in thousands of stories', {
    tags: ['long'],
    timeout: 600_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(stories(['machine-suspended']), async (story) => {
        expect((await play(story)).falseProofs).toEqual([]);
      }),
      { numRuns: 8_000 },
    );
  });

  it('is neither reset nor said to be dead while nothing happens', async () => {
    expect(await told([])).toMatchObject({ resets: 0, proofs: 0, falseProofs: [] });
  });

  it('is reset once it is cut off, and the proof follows', async () => {
    const outcome = await told([{ what: 'guard-cut-off', at: 60, forS: 200 }]);
    // The boot after that arms nothing before the API server has let it.
    expect(outcome).toMatchObject({ resets: 1, falseProofs: [] });
    expect(outcome.proofs).toBeGreaterThan(0);
  });

  it('lives through an outage that is shorter than its grant', async () => {
    const outage = { what: 'outage', at: 60, forS: 6 } as const;
    expect(await told([outage])).toMatchObject({ resets: 0, proofs: 0 });
  });

  it('lives through any outage while its guard is switched off', async () => {
    const outage = { what: 'outage', at: 60, forS: 200 } as const;
    const off = { what: 'switched-off', at: 40, forS: 300 } as const;
    expect(await told([off, outage])).toMatchObject({ resets: 0, proofs: 0, falseProofs: [] });
  });

  it('is not reset because its guard is exchanged', async () => {
    const exchanges = [60, 90, 120].map((at) => ({ what: 'guard-ended', at, forS: 0 }) as const);
    for (const canDisarm of [true, false]) {
      expect(await told(exchanges, { canDisarm })).toMatchObject({ resets: 0, proofs: 0 });
    }
  });

  it('runs on for no longer than its watchdog takes, once it wakes up cut off', async () => {
    // A watchdog that stands still with its machine proves nothing of one that was suspended: here is how far that goes.
    const outcome = await told(
      [
        { what: 'guard-cut-off', at: 60, forS: 300 },
        { what: 'machine-suspended', at: 61, forS: 120 },
      ],
      { dogRunsOn: false },
    );
    expect(outcome.falseProofs.length).toBeGreaterThan(0);
    expect(outcome.ranOnMs).toBeGreaterThan(0);
    expect(outcome.ranOnMs).toBeLessThanOrEqual(plain.timeout * 1_000 + 100);
  });
});

describe('a deliberate defect of self-fencing', () => {
  const core = new URL('../../../packages/core/src/', import.meta.url);

  it.each(selfFencingDefects)('$name finds its place', async ({ edits }) => {
    for (const edit of edits) {
      const text = await readFile(new URL(edit.file, core), 'utf8');
      expect(edited(text, edit)).not.toBe(text);
    }
  });

  it.each(selfFencingDefects)('$name is noticed: $sentence', async (defect) => {
    const r = await hunted(defect);
    console.log(defect.name, r);
    expect(r).toMatchObject({ caught: true });
  });
});

function hunted({ edits }: SelfFencingDefect): Promise<unknown> {
  const worker = new Worker(new URL('./hunting-thread.ts', import.meta.url), {
    workerData: { edits, runs: 4_000, seed: 1 },
    execArgv: ['--conditions=@liberator/source'],
  });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`expected an answer, found an end with ${code}`)));
  }).finally(() => worker.terminate());
}
