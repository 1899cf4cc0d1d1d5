// Takes pods off a node: asks for each eviction until the budgets allow it, and waits until the pod is where it should be.

import { Backoff } from '../kubernetes/backoff.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { Pod } from '../kubernetes/objects.ts';
import { askedDelayMs, isTransient } from '../kubernetes/retry.ts';
import { isWantedBy } from '../pods/wanted.ts';
import { type Clock, type Random, sleep } from '../time/clock.ts';
import type { EvictionAnswer, MaintenanceCluster } from './cluster.ts';
import type { PlannedPod } from './plan.ts';
import type { DrainProgress, PodState } from './progress.ts';
import { lookAtReplacement, type Sight } from './replacement.ts';

export interface PodMoverOptions {
  readonly cluster: MaintenanceCluster;
  readonly clock: Clock;
  readonly random: Random;
  readonly node: string;
  /** Absent: each pod's own. */
  readonly gracePeriodSeconds: number | undefined;
  readonly signal: AbortSignal;
  readonly tell: (progress: DrainProgress) => void;
  /** Called before a pod is asked to go whose replacement has to be waited for. */
  readonly record: (pod: PlannedPod) => Promise<void>;
}

/** How often to look whether a pod is gone, or Ready elsewhere. */
const lookEveryMs = 1_000;

/** So often something may forbid that a pod goes, while nothing else can be done, before it is given up. */
const denialPatience = 3;

/** Between two requests for the same pod. A budget that has room again should not wait long for us. */
const retry = { baseMs: 1_000, maxMs: 10_000 } as const;

interface Turn {
  readonly pod: PlannedPod;
  readonly backoff: Backoff;
  notBefore: number;
  /** How often in a row something forbade it. */
  denials: number;
}

/** A pod that may not go. */
export interface DeniedPod {
  readonly pod: PlannedPod;
  readonly error: KubernetesError;
}

export class PodMover {
  readonly #options: PodMoverOptions;
  /** By uid. */
  readonly #states = new Map<string, PodState>();
  /** By uid. */
  readonly #denied = new Map<string, DeniedPod>();

  constructor(options: PodMoverOptions) {
    this.#options = options;
  }

  /** Where each pod stands that was ever given to {@link move}. */
  get states(): readonly PodState[] {
    return [...this.#states.values()];
  }

  /** Those that were given up, since something forbids that they go. */
  get denied(): readonly DeniedPod[] {
    return [...this.#denied.values()];
  }

  /**
   * Moves all of them, at most `width` at a time and in their order; one whose budget refuses, or
   * that something forbids to go, lets others go first. What is forbidden still when nothing else is left is given up.
   * Returns early when the signal aborts.
   */
  async move(pods: readonly PlannedPod[], width: number): Promise<void> {
    const { clock, random } = this.#options;
    for (const pod of pods) this.#states.set(pod.uid, { pod, phase: 'waiting', detail: 'its turn comes' });
    const turns = pods.map(
      (pod): Turn => ({ pod, backoff: new Backoff(retry, random), notBefore: 0, denials: 0 }),
    );
    const work = async (): Promise<void> => {
      while (turns.length > 0 && !this.#options.signal.aborted) {
        if (turns.every(({ denials }) => denials >= denialPatience)) return;
        const index = turns.findIndex(({ notBefore }) => notBefore <= clock.now());
        const [turn] = index < 0 ? [] : turns.splice(index, 1);
        if (turn === undefined)
          await this.#sleep(Math.min(...turns.map((one) => one.notBefore)) - clock.now());
        else if (!(await this.#attempt(turn))) turns.splice(index, 0, turn);
      }
    };
    await Promise.all(Array.from({ length: Math.min(width, pods.length) }, work));
  }

  /** Returns false when it has to be tried again. */
  async #attempt(turn: Turn): Promise<boolean> {
    const { pod, backoff } = turn;
    if (pod.action === 'evict') {
      const refusal = await this.#evict(pod);
      if (refusal !== undefined) {
        turn.notBefore = this.#options.clock.now() + Math.max(backoff.next(), refusal.retryAfterMs);
        turn.denials = refusal.denied ? turn.denials + 1 : 0;
        return false;
      }
      this.#denied.delete(pod.uid);
    }
    await this.#settle(pod, backoff);
    return true;
  }

  /** Undefined once it goes, or has gone. */
  async #evict(pod: PlannedPod): Promise<Refusal | undefined> {
    const { cluster, signal, gracePeriodSeconds, tell, record } = this.#options;
    try {
      // The server asks the budget before it looks at the uid. Somebody else may have had the pod go meanwhile, and what
      // is refused, or spent, would be the budget of its namesake.
      const current = await cluster.readPod(pod.namespace, pod.name, signal);
      if (current?.metadata.uid !== pod.uid || current.metadata.deletionTimestamp !== undefined)
        return undefined;
      if (pod.awaits === 'elsewhere') await record(pod);
      const grace = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
      const answer = await cluster.evict(pod, { ...grace, signal });
      if (answer.outcome === 'evicted' || answer.outcome === 'gone') return undefined;
      this.#note(pod, { phase: 'refused', detail: detailOf(answer) });
      if (answer.outcome !== 'denied') return { retryAfterMs: answer.retryAfterMs, denied: false };
      this.#denied.set(pod.uid, { pod, error: answer.error });
      return { retryAfterMs: 0, denied: true };
    } catch (error) {
      if (signal.aborted) return { retryAfterMs: 0, denied: false };
      if (!isTransient(error)) throw error;
      tell({ type: 'trouble', error, retryInMs: retry.baseMs });
      if (error instanceof KubernetesError)
        this.#note(pod, {
          phase: 'refused',
          detail: withWords('the API server can’t do it now', error.said),
        });
      return { retryAfterMs: askedDelayMs(error), denied: false };
    }
  }

  /** Until it is gone, and Ready elsewhere with its volumes where somebody waits for that. */
  async #settle(pod: PlannedPod, backoff: Backoff): Promise<void> {
    const { signal, tell } = this.#options;
    backoff.reset();
    while (!signal.aborted) {
      let waitMs = lookEveryMs;
      try {
        const sight = await this.#look(pod);
        this.#note(pod, sight);
        if (sight.phase === 'done') return;
        backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        if (!isTransient(error)) throw error;
        waitMs = backoff.next();
        tell({ type: 'trouble', error, retryInMs: waitMs });
      }
      await this.#sleep(waitMs);
    }
  }

  async #look(pod: PlannedPod): Promise<Sight> {
    const { cluster, signal, node } = this.#options;
    const current = await cluster.readPod(pod.namespace, pod.name, signal);
    const sight = lookAtReplacement(pod, current, node);
    if (pod.statefulSet === undefined || pod.awaits === 'nothing') return sight;
    if (current === undefined) {
      const set = await cluster.readStatefulSet(pod.namespace, pod.statefulSet, signal);
      const nobodyWants = `gone; StatefulSet ${pod.statefulSet} wants it no more`;
      return isWantedBy(set, pod) ? sight : { phase: 'done', detail: nobodyWants };
    }
    return sight.phase === 'done' ? this.#withVolumes(pod, current, sight) : sight;
  }

  /** A claim that was deleted and made anew has an empty volume: nobody should take that for a move. */
  async #withVolumes(pod: PlannedPod, current: Pod, sight: Sight): Promise<Sight> {
    const { cluster, signal } = this.#options;
    const claims = new Set(
      current.spec?.volumes?.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []),
    );
    const volumes: string[] = [];
    for (const { claim, volume } of pod.volumes) {
      if (volume === undefined) continue;
      const now = claims.has(claim)
        ? (await cluster.readClaim(pod.namespace, claim, signal))?.spec?.volumeName
        : undefined;
      if (now !== volume) {
        const found = now === undefined ? 'no volume' : `volume ${now}`;
        return {
          phase: 'replacing',
          detail: `${sight.detail}, but claim ${claim} has ${found} instead of ${volume}`,
        };
      }
      volumes.push(volume);
    }
    if (volumes.length === 0) return sight;
    return {
      ...sight,
      detail: `${sight.detail} with ${volumes.length === 1 ? 'volume' : 'volumes'} ${volumes.join(', ')}`,
    };
  }

  #note(pod: PlannedPod, { phase, detail }: Sight): void {
    const before = this.#states.get(pod.uid);
    if (before?.phase === phase && before.detail === detail) return;
    const state = { pod, phase, detail };
    this.#states.set(pod.uid, state);
    this.#options.tell({ type: 'pod', ...state });
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(this.#options.clock, ms, this.#options.signal);
  }
}

/** Why a pod doesn't go yet. */
interface Refusal {
  readonly retryAfterMs: number;
  /** Waiting may not help. */
  readonly denied: boolean;
}

type NotNow = Exclude<EvictionAnswer, { readonly outcome: 'evicted' | 'gone' }>;

function detailOf(answer: NotNow): string {
  switch (answer.outcome) {
    case 'busy':
      return withWords('the API server asks to come back later', answer.why);
    case 'denied':
      return withWords('the API server does not allow it', answer.why);
    case 'refused':
      return refusalOf(answer.budgets, answer.why);
  }
}

function withWords(what: string, said: string): string {
  return said === '' ? what : `${what}: ${said}`;
}

function refusalOf(budgets: readonly string[], why: string): string {
  if (budgets.length === 0) return why;
  const names = budgets.join(' and ');
  // The server's sentence begins with the name, too.
  const rest = why.replace(`The disruption budget ${names} `, '');
  return `PodDisruptionBudget ${names}${rest === why ? ': ' : ' '}${rest}`;
}
