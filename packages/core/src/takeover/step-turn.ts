// What a leader knows of one step since it took it up, and what the step is given of that each time it is attempted.

import type { NodeProbe } from '../evidence/witnesses/prober.ts';
import type { DeviceQueue } from '../fencing/device-queue.ts';
import type { Fencer } from '../fencing/fencer.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import type { Clock } from '../time/clock.ts';
import { Attempts } from './attempts.ts';
import type { TakeoverCluster } from './cluster.ts';
import type { Looks } from './looks.ts';
import { isTimeOfClimbDue, SpentPatience, type Waited } from './patience.ts';
import { nextMove, noteStep, type TakeoverStep } from './record.ts';
import type { Draft } from './records/draft.ts';
import type { StepContext } from './step.ts';
import type { TakeoverWitness } from './witness.ts';

/** What a step needs of whoever performs takeovers. */
export interface StepTools {
  readonly cluster: TakeoverCluster;
  readonly clock: Clock;
  readonly fencers: ReadonlyMap<string, Fencer>;
  readonly devices: DeviceQueue;
  readonly probe: NodeProbe | undefined;
}

/** Which step, of which takeover, in whose hands. */
export interface StepAtHand {
  readonly step: TakeoverStep;
  readonly term: LeaderTerm;
  readonly draft: Draft;
  readonly witness: TakeoverWitness;
  readonly looks: Looks;
}

export class StepTurn {
  readonly #tools: StepTools;
  readonly #atHand: StepAtHand;
  readonly #firstAskedAt = new Map<string, number>();
  readonly #attempts = new Attempts();
  readonly #settled: StepContext['settled'] = new Map();
  readonly #volumes: StepContext['volumes'] = new Map();
  readonly #patience: SpentPatience;
  readonly #takenUpAt: number;
  #notedAt: number;

  constructor(tools: StepTools, atHand: StepAtHand) {
    this.#tools = tools;
    this.#atHand = atHand;
    const { step, draft } = atHand;
    this.#patience = new SpentPatience(tools.clock, draft.record.steps[step]?.spentMs ?? 0);
    this.#takenUpAt = tools.clock.now();
    this.#notedAt = this.#takenUpAt;
  }

  /** How much of the step's patience is spent, over all leaders, as the record has it. */
  get spentMs(): number {
    return Math.round(this.#patience.spentMs);
  }

  get waited(): Waited {
    const now = this.#tools.clock.now();
    return { sinceTakenUpMs: now - this.#takenUpAt, sinceNotedMs: now - this.#notedAt };
  }

  /** Whether the record is still ours, and at this step. */
  get isOurs(): boolean {
    const { step, term, draft } = this.#atHand;
    return this.isNext && draft.record.steps[step]?.epoch === term.epoch;
  }

  /** Whether this step is still what the takeover is at. */
  get isNext(): boolean {
    const next = nextMove(this.#atHand.draft.record);
    return next.move === 'step' && next.step === this.#atHand.step;
  }

  /** What was put on record counts from now. */
  noted(): void {
    this.#notedAt = this.#tools.clock.now();
  }

  /** Another policy may come to something else. */
  unsettle(): void {
    this.#settled.clear();
  }

  /** Whether the time since this was last called was the step's own. */
  passed(counts: boolean): void {
    if (counts) this.#patience.spend();
    else this.#patience.spare();
  }

  /** For one attempt, with the record as it is now. */
  context(): StepContext {
    const { cluster, clock, fencers, devices, probe } = this.#tools;
    const { term, draft, witness, looks } = this.#atHand;
    const { record } = draft;
    return {
      term,
      cluster,
      clock,
      record,
      spentMs: () => this.#patience.spentMs,
      since: (event) => {
        const at = this.#firstAskedAt.get(event) ?? clock.now();
        this.#firstAskedAt.set(event, at);
        return clock.now() - at;
      },
      attempts: this.#attempts,
      looks,
      settled: this.#settled,
      putOnRecord: async (findings) => {
        // With its time: what a rung began at must not be ahead of what the next leader counts from.
        if (findings.climb !== undefined) this.#noteTime();
        await draft.write((one) => ({ ...one, ...findings }));
        return this.isOurs;
      },
      noteSpent: () => this.#noteSpent(witness.holds(record).length > 0),
      volumes: this.#volumes,
      fencers,
      devices,
      neighbours: () => witness.neighbours?.(record) ?? [],
      lifeSign: () => witness.lifeSign(record),
      holds: () => witness.holds(record),
      ...(probe && { probe }),
      addressIsReused: () => witness.addressIsReused?.(record) ?? false,
      nodeNow: () => witness.nodeNow?.(record),
      policyNow: () => witness.nodeNow?.(record).policy,
      laterTakeoverWith: (podUid) => witness.laterTakeoverWith?.(record, podUid),
    };
  }

  /** While a device thinks. What a brake takes is not the step's own. */
  async #noteSpent(isBraked: boolean): Promise<void> {
    const { step, term, draft } = this.#atHand;
    if (draft.record.steps[step]?.epoch !== term.epoch) return;
    this.passed(!isBraked);
    if (isBraked || !isTimeOfClimbDue(this.waited)) return;
    this.#noteTime();
    await draft.write();
  }

  /** Goes into the next write, which follows at once. */
  #noteTime(): void {
    const { step, draft } = this.#atHand;
    this.#patience.spend();
    this.noted();
    const { spentMs } = this;
    draft.note((one) => noteStep(one, step, { spentMs }));
  }
}
