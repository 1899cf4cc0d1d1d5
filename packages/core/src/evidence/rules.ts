// How death is told from a hiccup: the rules by which a node is judged, one set per policy.

/**
 * Rules by heartbeat: the node's Lease, a probe of its host, and the Ready condition bear witness together.
 *
 * A kubelet makes its first Lease some ten seconds after it has registered. A node that dies before has been silent, by
 * these rules, since Kubernetes called it Unknown, which takes most of a minute more.
 */
export interface HeartbeatDetection {
  /** By the node's own heartbeats. */
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
  /** By looking at the Ready condition at intervals, as the original program did. */
  readonly mode: 'poll';
  /** Pause between looks. Default 5,000 ms. */
  readonly intervalMs: number;
  /** Default 3. */
  readonly threshold: number;
}

/** How death is told from a hiccup. */
export type Detection = HeartbeatDetection | PollDetection;

/** Suspect after 15 s of silence, dead after 25 s if the host is silent too, after 60 s if nobody asks it. */
export const defaultHeartbeatDetection: HeartbeatDetection = {
  mode: 'heartbeat',
  suspectAfterMs: 15_000,
  deadAfterMs: 25_000,
  deadUnprobedAfterMs: 60_000,
  silentProbes: 3,
};

/** The original program's way: looks every few seconds, and dead after a few looks at a node that isn't Ready. */
export const defaultPollDetection: PollDetection = { mode: 'poll', intervalMs: 5_000, threshold: 3 };

/** For how long a healthy kubelet may be silent: so long it may need to notice a broken connection. See {@link HeartbeatDetection.deadUnprobedAfterMs}. */
export const longestHealthySilenceMs = 45_000;

/**
 * What makes no sense in these rules, one sentence each: durations that are out of order, or so short that a hiccup would
 * be death. `safeDeathMs` is the least for `deadAfterMs`.
 */
export function contradictionsIn(detection: Detection, safeDeathMs: number): readonly string[] {
  if (detection.mode === 'poll') {
    return [
      ...(detection.intervalMs > 0 ? [] : [`expected intervalMs above 0, found ${detection.intervalMs}`]),
      ...(detection.threshold >= 0 ? [] : [`expected threshold of at least 0, found ${detection.threshold}`]),
    ];
  }
  const { suspectAfterMs, deadAfterMs, deadUnprobedAfterMs, silentProbes } = detection;
  const problems: string[] = [];
  if (!(deadAfterMs >= safeDeathMs)) {
    problems.push(
      `expected deadAfterMs of at least ${safeDeathMs}, 2.3 heartbeat intervals, ` +
        `so that an outage is not taken for the death of one node; found ${deadAfterMs}`,
    );
  }
  if (!(suspectAfterMs > 0 && suspectAfterMs <= deadAfterMs)) {
    problems.push(
      `expected suspectAfterMs above 0 and at most deadAfterMs (${deadAfterMs}), found ${suspectAfterMs}`,
    );
  }
  if (!(deadUnprobedAfterMs > longestHealthySilenceMs)) {
    problems.push(
      `expected deadUnprobedAfterMs above ${longestHealthySilenceMs}, since a healthy kubelet may be silent ` +
        `for that long; found ${deadUnprobedAfterMs}`,
    );
  }
  if (!(silentProbes >= 1)) problems.push(`expected silentProbes of at least 1, found ${silentProbes}`);
  return problems;
}
