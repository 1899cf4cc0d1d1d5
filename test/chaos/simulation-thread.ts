// What a thread of the crew does: one task after another, each answered with its outcome.
import { parentPort, workerData } from 'node:worker_threads';
import { loadEdited } from './mutations/edits.ts';
import type { Task } from './task.ts';
import type { Edit } from './world/replica.ts';

// Before anything of core is loaded.
loadEdited((workerData as readonly Edit[] | undefined) ?? []);
const { perform } = await import('./task.ts');

parentPort?.on('message', async (task: Task) => {
  parentPort?.postMessage(await perform(task));
});
