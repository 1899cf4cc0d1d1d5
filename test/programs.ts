// `npm run programs`: builds the Go programs that test:e2e needs, where they aren't in the cache, before anything waits for them.
import { constants, setPriority } from 'node:os';
import { type FindProgramsOptions, findPrograms } from './control-plane/programs.ts';
import { findTools } from './deploy/tools.ts';
import { findKubectl } from './kubeconfig/kubectl.ts';

// Inherited by whatever we start: a quarter of an hour of work that only takes what nobody else wants.
setPriority(constants.priority.PRIORITY_LOW);

const ending = new AbortController();
// A build would outlive us: its process group is its own.
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => ending.abort(new Error(`ended by ${name}`)));
}

const options: FindProgramsOptions = {
  signal: ending.signal,
  onProgress: ({ program, detail }) => process.stderr.write(`${program}: ${detail}\n`),
};

// One after the other: each keeps all processors busy by itself.
await findPrograms(options);
await findTools(options);
await findKubectl(options);
