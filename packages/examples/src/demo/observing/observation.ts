// Everything the demo sees, as data: what it tells while it runs and what it reports at the end come from these alone.
import type { Health, TakeoverRecord } from '@liberator/core';

/** The database's pod at one moment. */
export interface DatabasePod {
  readonly uid: string;
  /** Absent until it is scheduled. */
  readonly node?: string;
  readonly ready: boolean;
  readonly terminating: boolean;
}

export type Observation =
  | { readonly kind: 'crashed'; readonly node: string }
  /** Nothing happened for a while, and this is what is waited for. */
  | {
      readonly kind: 'waiting';
      readonly node: string;
      readonly silentMs: number;
      readonly deadAfterMs: number;
    }
  /** What the agents' log lines say. */
  | { readonly kind: 'leads'; readonly agent: string; readonly epoch: number }
  | { readonly kind: 'sight'; readonly agent: string; readonly blind: readonly string[] }
  | {
      readonly kind: 'health';
      readonly agent: string;
      readonly node: string;
      readonly to: Health;
      readonly reasons: readonly string[];
    }
  | {
      readonly kind: 'held';
      readonly agent: string;
      readonly node: string;
      readonly reasons: readonly string[];
    }
  | { readonly kind: 'trouble'; readonly agent: string; readonly message: string }
  /** An agent's process ended although nobody asked it to. */
  | { readonly kind: 'agent-ended'; readonly agent: string; readonly how: string }
  /** What watching the cluster says. */
  | { readonly kind: 'node-ready'; readonly node: string; readonly status: 'True' | 'False' | 'Unknown' }
  | { readonly kind: 'node-deleted'; readonly node: string }
  | { readonly kind: 'heartbeat'; readonly node: string }
  | { readonly kind: 'pod'; readonly pod: DatabasePod }
  | { readonly kind: 'pod-gone'; readonly uid: string }
  | { readonly kind: 'attached'; readonly volume: string; readonly node: string }
  | { readonly kind: 'detached'; readonly volume: string; readonly node: string }
  | { readonly kind: 'record'; readonly record: TakeoverRecord };

export type ObservationKind = Observation['kind'];

/** One observation of the given kind. */
export type Of<K extends ObservationKind> = Extract<Observation, { kind: K }>;

/** An observation and when it was made, in monotonic milliseconds. */
export type Entry<K extends ObservationKind = ObservationKind> = Of<K> & { readonly at: number };
