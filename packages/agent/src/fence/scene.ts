// What a person asks of `liberator fence`, and what is known of the node and of who could fence it.
import type { Fencer, FenceTarget, HandCluster, Node, Transport } from '@liberator/core';
import type { PlaceFlags } from '../cluster/place.ts';
import type { Config, PolicyConfig } from '../config/config.ts';
import { exitCode } from '../process/exit-code.ts';
import { FatalError } from '../process/failure.ts';
import type { OutputFlags } from '../text/output-option.ts';

export interface FenceFlags extends PlaceFlags, OutputFlags {
  readonly config: string;
  readonly check?: boolean;
  readonly powerOff?: boolean;
  readonly powerOn?: boolean;
  readonly fencer?: string;
  readonly reason?: string;
  /** Milliseconds. */
  readonly timeout: number;
}

/** One node, and who could fence it. */
export interface FenceScene {
  readonly flags: FenceFlags;
  readonly config: Config;
  readonly node: Node;
  readonly target: FenceTarget;
  /** Undefined when none selects the node. */
  readonly policy: PolicyConfig | undefined;
  /** Those on the ladder, in their order, or the one that was named. */
  readonly fencers: readonly Fencer[];
  readonly cluster: HandCluster;
  readonly transport: Transport;
  /** Aborts with the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

export function failed(message: string, code: string): FatalError {
  return new FatalError(message, { code, exitCode: exitCode.failed });
}
