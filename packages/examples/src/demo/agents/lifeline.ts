// Loaded into each agent before its own code: should the demo be killed, its end of the pipe closes, and the agent stops
// as if it had been told to. Nothing else would end it.
process.stdin.once('end', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.resume();
