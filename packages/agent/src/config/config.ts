// The configuration as the rest of the agent sees it: checked, complete, every duration in milliseconds.
import type { AcceptableProof, Evidence, LabelRequirement } from '@liberator/core';
import type { FencerConfig } from './fencers/fencer.ts';

type Milliseconds = number;

export interface Config {
  /** Where takeover records and the election Lease live. */
  readonly namespace: string;
  /** Unique among all replicas and all lives of this process. */
  readonly identity: string;
  readonly election: ElectionConfig;
  readonly http: { readonly address: string; readonly port: number };
  readonly log: LogConfig;
  readonly probe: {
    readonly enabled: boolean;
    readonly interval: Milliseconds;
    readonly timeout: Milliseconds;
  };
  /** `observe`: everything is decided, and nothing is done. */
  readonly mode: 'act' | 'observe';
  readonly journal: JournalConfig;
  /** How often kubelets renew their Leases. */
  readonly heartbeatInterval: Milliseconds;
  /** How nodes that were taken over are taken in again. */
  readonly returning: {
    readonly dwell: Milliseconds;
    readonly restore: boolean;
    readonly restoredTaints: readonly string[];
    readonly keepFor: number;
  };
  /** How the leader asks fencers whether they could fence. */
  readonly drill: DrillConfig;
  /** By name. `manual` and `none` are there without being named. */
  readonly fencers: Readonly<Record<string, FencerConfig>>;
  readonly policies: readonly PolicyConfig[];
}

export interface ElectionConfig {
  /** Name of the Lease. */
  readonly name: string;
  readonly leaseDuration: Milliseconds;
  readonly renewDeadline: Milliseconds;
  readonly retryPeriod: Milliseconds;
}

interface DrillConfig {
  readonly enabled: boolean;
  readonly every: Milliseconds;
  readonly concurrency: number;
  readonly timeout?: Milliseconds | undefined;
}

interface JournalConfig {
  /** Undefined: nothing is recorded. */
  readonly file?: string | undefined;
  /** Bytes. */
  readonly size: number;
  /** Files at most, the one that is written to included. */
  readonly keep: number;
}

export interface LogConfig {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly format: 'json' | 'pretty';
}

export interface PolicyConfig {
  readonly name: string;
  readonly nodes: {
    readonly all?: true | undefined;
    readonly matchLabels?: Readonly<Record<string, string>> | undefined;
    readonly matchExpressions?: readonly LabelRequirementConfig[] | undefined;
  };
  readonly detection: DetectionConfig;
  readonly controlPlane: boolean;
  readonly evidence: Exclude<Evidence, 'none'>;
  readonly budget: {
    readonly maxDead: number;
    readonly maxDeadPercent: number;
    readonly window: Milliseconds;
    readonly maxRunning: number;
  };
  readonly fencing: {
    readonly ladder?:
      | readonly { readonly fencer: string; readonly for?: Milliseconds | undefined }[]
      | undefined;
    /** @deprecated The same as a ladder of these. */
    readonly drivers?: readonly string[] | undefined;
    readonly proof: 'required' | 'optional';
    readonly accept?: readonly AcceptableProof[] | undefined;
    readonly giveUpAfter?: Milliseconds | undefined;
    readonly afterwards: 'leave-off' | 'power-on';
    readonly hungAfter?: Milliseconds | undefined;
    readonly maxCheckAge?: Milliseconds | undefined;
  };
  readonly node: 'delete' | 'keep';
}

interface LabelRequirementConfig {
  readonly key: string;
  readonly operator: LabelRequirement['operator'];
  readonly values?: readonly string[] | undefined;
}

export type DetectionConfig =
  | {
      readonly mode?: 'heartbeat' | undefined;
      readonly suspectAfter: Milliseconds;
      readonly deadAfter: Milliseconds;
      readonly deadUnprobedAfter: Milliseconds;
      readonly silentProbes: number;
    }
  | { readonly mode: 'poll'; readonly interval: Milliseconds; readonly threshold: number };
