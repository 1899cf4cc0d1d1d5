// Loaded into the agent before anything else: measures the longest stall of its event loop for as long as it is asked to, and ends
// with whoever measures. Plain JavaScript, so that Node.js need not load its type stripper and the agent's memory stays its own.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const resolution = 5;
let histogram;

process.on('message', (message) => {
  if (message === 'watch stalls') {
    histogram ??= monitorEventLoopDelay({ resolution });
    histogram.reset();
    histogram.enable();
  } else if (message === 'tell stalls') {
    // Each sample has the timer's own interval in it.
    const stallMs = histogram === undefined ? 0 : Math.max(0, histogram.max / 1e6 - resolution);
    histogram?.disable();
    process.send?.({ stallMs });
  }
});
process.on('disconnect', () => process.exit(1));
// Listening alone must not keep the agent alive, nor delay its end.
process.channel?.unref();
