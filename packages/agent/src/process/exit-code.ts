// What the process says by how it ends; whoever supervises it may rely on these numbers.

export const exitCode = {
  /** Done; for `run`, leadership was handed over after SIGTERM or SIGINT. */
  done: 0,
  /** The cluster could not be used, something unexpected happened, or stopping took too long. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** Leadership was lost. The process must be started anew: nothing of an old term may go on. */
  leadershipLost: 3,
  /** A second signal ended the process at once. */
  signalled: { SIGINT: 130, SIGTERM: 143 },
} as const;
