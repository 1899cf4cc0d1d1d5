// What a drain tells while it goes on, which is public API: one payload object for each kind of news.
import type { PlannedPod } from './plan.ts';

/**
 * - `waiting`: its turn has not come.
 * - `refused`: a disruption budget said no, something forbids it, or the server is busy; it is tried again.
 * - `leaving`: evicted, and still terminating.
 * - `replacing`: gone; its StatefulSet's new pod is not Ready elsewhere yet.
 * - `done`: gone, and where somebody waits for that, Ready elsewhere.
 */
export type PodPhase = 'waiting' | 'refused' | 'leaving' | 'replacing' | 'done';

/** Where one pod of the node stands. */
export interface PodState {
  /** Which pod. */
  readonly pod: PlannedPod;
  /** How far it is. */
  readonly phase: PodPhase;
  /** A sentence for people: which budget refuses, what the replacement waits for, where it is Ready. */
  readonly detail: string;
}

/** What happens in a drain, as it happens. */
export type DrainProgress =
  /** What will become of each pod. Told again, with new pods alone, when some came before the node was cordoned. */
  | { readonly type: 'planned'; readonly pods: readonly PlannedPod[] }
  /** No new pods come, and takeovers are held for `holdMs` after each renewal of the mark. */
  | { readonly type: 'cordoned'; readonly holdMs: number; readonly wasCordoned: boolean }
  /** Somebody else's drain of this node was not finished, by its mark. Both may be at it. */
  | { readonly type: 'joined'; readonly by: string; readonly since: string }
  /** Where a pod stands has changed. */
  | ({ readonly type: 'pod' } & PodState)
  /** The node stopped reporting, or reports again. While it is silent, nobody stops its containers. */
  | { readonly type: 'node'; readonly reporting: boolean }
  /** Something failed and is tried again. */
  | { readonly type: 'trouble'; readonly error: unknown; readonly retryInMs: number };
