// How death is told from a hiccup: the rules that the health machine runs by, one set per policy.

/**
 * Rules by heartbeat: the node's Lease, a probe of its host, and the Ready condition bear witness together.
 *
 * A kubelet makes its first Lease some ten seconds after it has registered. A node that dies before has been silent, by
 * these rules, since Kubernetes called it Unknown, which takes most of a minute more.
 */
export interface HeartbeatDetection {
  readonly mode: 'heartbeat';
  /**
   * Lease silence after which a node is suspect, and its host is probed. Default 15,000 ms: one renewal missed. Shorter
   * suspects more often in vain, which costs nothing but probes and log lines.
   */
  readonly suspectAfterMs: number;
  /**
   * Lease silence after which a node is dead when its host is silent too. Default 25,000 ms. Must not be shorter than
   * `suspectAfterMs`.
   */
  readonly deadAfterMs: number;
  /**
   * Lease silence after which a node is dead without any probe, provided that Kubernetes itself says that it isn't
   * Ready. Default 60,000 ms. Must be more than 45,000 ms: a healthy kubelet may need that long to notice a broken
   * connection (kubernetes/kubernetes#121793).
   */
  readonly deadUnprobedAfterMs: number;
  /** Consecutive silent probes that make a silent host. Default 3. */
  readonly silentProbes: number;
}

/**
 * Rules by polling the Ready condition, to the poll as in the program that this project replaces: a counter starts at
 * 0 with the first look that is not Ready, grows by one with each further one, is forgotten at the first Ready, and
 * the node is dead when it *exceeds* `threshold`. With the defaults that is the fifth look in a row.
 *
 * A look that finds no Ready condition at all neither counts nor resets.
 */
export interface PollDetection {
  readonly mode: 'poll';
  /** Pause between looks. Default 5,000 ms. */
  readonly intervalMs: number;
  /** Default 3. */
  readonly threshold: number;
}

export type Detection = HeartbeatDetection | PollDetection;

export const defaultHeartbeatDetection: HeartbeatDetection = {
  mode: 'heartbeat',
  suspectAfterMs: 15_000,
  deadAfterMs: 25_000,
  deadUnprobedAfterMs: 60_000,
  silentProbes: 3,
};

export const defaultPollDetection: PollDetection = { mode: 'poll', intervalMs: 5_000, threshold: 3 };
