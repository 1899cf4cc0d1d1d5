// The port to a watchdog: what a guard needs of the device file and of what the kernel says about it.

/** What a watchdog says of itself. */
export interface WatchdogSettings {
  /** W, in milliseconds: how long after its last feed it resets the machine. */
  readonly timeoutMs: number;
  /** What it calls itself, for people. */
  readonly identity: string;
  /** Whether it can be disarmed. One that can't runs on until the machine is reset, or somebody feeds it again. */
  readonly canDisarm: boolean;
}

/**
 * One watchdog of the machine on which this runs. Everything is synchronous: between a look at the clock and what follows from
 * it nothing else of the process may have its turn. Each call throws when the device fails.
 */
export interface WatchdogDevice {
  /** Reads it back from the kernel, each time. Feeds nothing. */
  settings(): WatchdogSettings;
  /** Starts it, unless it runs, and feeds it. Nobody else can open it from then on. */
  open(): void;
  /** Starts its timer anew, at once. */
  feed(): void;
  /** Lets go of it and leaves it running. Linux feeds it once more. */
  close(): void;
  /** Stops it and lets go of it. */
  disarm(): void;
}
