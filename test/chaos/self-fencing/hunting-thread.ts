// Plays stories with a defect built into core, in a thread of its own, until one of them notices.
import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { loadEdited } from '../mutations/edits.ts';
import type { Edit } from '../world/replica.ts';

const { edits, runs, seed } = workerData as {
  readonly edits: readonly Edit[];
  readonly runs: number;
  readonly seed: number;
};

// Before anything of core is loaded.
loadEdited(edits);
const { play, stories } = await import('./story.ts');

let caught = false;
const isTrue = fc.asyncProperty(stories(['machine-suspended']), async (story) => {
  const { falseProofs } = await play(story);
  caught ||= falseProofs.length > 0;
  return falseProofs.length === 0;
});
const { numRuns, errorInstance } = await fc.check(isTrue, { numRuns: runs, seed, endOnFailure: true });
// A story that can't be played notices nothing.
if (errorInstance !== null && !caught) throw errorInstance;
parentPort?.postMessage({ caught, runs: numRuns });
