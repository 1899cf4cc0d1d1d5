// Tells V8 that this is a small process that lives for months and mostly waits. Imported before anything else, so that it counts
// however the agent is started: from the image, with npx, or from source. What each brings is in the README.
import { setFlagsFromString } from 'node:v8';

/** As the image starts it. It is read before any code of ours runs, so that nothing but the command line can say it. */
const isBounded = process.execArgv.some((arg) => arg.startsWith('--max-semi-space-size'));

const flags = [
  // Where nobody bounds the young generation it stays at the 1 MiB that it begins with, instead of growing to 16 MiB of garbage at
  // the first list of nodes.
  ...(isBounded ? [] : ['--semi-space-growth-factor=1']),
  // undici's HTTP parser is one large function in WebAssembly, and optimizing it takes 8 MiB for good, and 0.1 s of CPU. The
  // three go together: each alone still leads to the optimizing compiler.
  '--liftoff-only',
  '--no-wasm-tier-up',
  '--no-wasm-dynamic-tiering',
];

for (const flag of flags) setFlagsFromString(flag);
