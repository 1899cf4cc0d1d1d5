// Carries a takeover from whatever step its record shows to its end, writing down each step before it acts.

import type { NodeProbe } from '../evidence/witnesses/prober.ts';
import { DeviceQueue } from '../fencing/device-queue.ts';
import type { Fencer } from '../fencing/fencer.ts';
import { takeoverTaint } from '../marks/taints.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import type { Clock } from '../time/clock.ts';
import { withoutNumbers } from '../wording/numbers.ts';
import { isHarmless } from './ask-rung.ts';
import { withFirstRung } from './climb.ts';
import type { StoredRecord, TakeoverCluster } from './cluster.ts';
import { broughtUpToDate, withMarksOfNow } from './follow.ts';
import { onceFreed } from './isolation.ts';
import { letGoOf, readLiveNode } from './life-signs.ts';
import { Looks } from './looks.ts';
import { endedByOthers } from './nothing-left.ts';
import { isWorthNoting } from './patience.ts';
import { pauseInTerm, retryAfterErrorMs } from './pause.ts';
import {
  close,
  endStep,
  isLetBe,
  nextMove,
  noteStep,
  startLeaving,
  startStep,
  startUndoing,
  type TakeoverRecord,
  type TakeoverStep,
} from './record.ts';
import { isSamePolicy, policyDifferences } from './recorded-policy.ts';
import { Draft } from './records/draft.ts';
import { RecordWriter } from './records/record-writer.ts';
import {
  held,
  isUnanswered,
  type PerformStep,
  type StepContext,
  type StepResult,
  wait,
  wordsOf,
} from './step.ts';
import { type StepTools, StepTurn } from './step-turn.ts';
import { cordon } from './steps/cordon.ts';
import { fence } from './steps/fence.ts';
import { recheck } from './steps/recheck.ts';
import { release } from './steps/release.ts';
import { remove } from './steps/remove.ts';
import { verify } from './steps/verify.ts';
import { takeMarksOff } from './undo.ts';
import type { NodeNow, TakeoverWitness } from './witness.ts';

/** The claim itself is the creation of the record: by the time it can be performed, it is done. */
const claimed = { outcome: 'done', detail: 'the record is ours' } as const;
const claim: PerformStep = async () => claimed;

const performers: Readonly<Record<TakeoverStep, PerformStep>> = {
  claim,
  cordon,
  fence,
  recheck,
  release,
  remove,
  verify,
};

/** What that is called among what is settled. */
const handingOver = 'leadership is handed over';

/** What happened in a takeover, as it happens. */
export interface TakeoverProgress {
  /** The record as it is now. */
  readonly record: TakeoverRecord;
  /** What it is about: a step, the policy that it follows, the undoing, the end, or the power that its machine gets back. */
  readonly step: TakeoverStep | 'policy' | 'undo' | 'close' | 'power-on';
  /** How far that is. */
  readonly phase: 'started' | 'waiting' | 'done' | 'skipped' | 'retrying';
  /** What happened or is waited for, for people. */
  readonly detail: string;
  /** A brake is what it waits for. */
  readonly held?: true;
}

export interface TakeoverExecutorOptions {
  readonly cluster: TakeoverCluster;
  readonly clock: Clock;
  readonly fencers: readonly Fencer[];
  /**
   * Asked before a fencer that may harm is, with the words for that: whether leadership is handed over instead, so that this term is over.
   * `first`: it is only announced now. Default: it never is.
   */
  readonly handOver?: (record: TakeoverRecord, first: boolean) => Promise<string | undefined>;
  /** Whose turn it is at devices that machines share: one for all who ask fencers in this process. Default: one of its own. */
  readonly devices?: DeviceQueue;
  /**
   * Asks the host of a Node that was deleted under its takeover whether it is up: one that is holds the takeover, unless a device or a
   * human vouches for the death. Default: nobody is asked.
   */
  readonly probe?: NodeProbe;
  readonly onProgress: (progress: TakeoverProgress) => void;
  /** Called with each version of a record as it is on record now, before anything is told of it. */
  readonly onSaved?: (stored: StoredRecord) => void;
  /** Called when brakes begin to hold the takeover under this id, and when it works on. */
  readonly onHeld?: (id: string, isHeld: boolean) => void;
}

/** Steps that act, or may: each is on record as begun before it does. The fence does without where no fencer of its policy may harm. */
const actingSteps: ReadonlySet<TakeoverStep> = new Set(['cordon', 'fence', 'release', 'remove']);

/** Steps that a brake holds as a whole. The release asks by itself, before its first act: once begun, it goes on. */
const heldSteps: ReadonlySet<TakeoverStep> = new Set(['cordon', 'fence', 'recheck', 'remove']);

/** Steps that take something from the node. */
const takingSteps: ReadonlySet<TakeoverStep> = new Set(['fence', 'recheck', 'release', 'remove']);

/** Of a node that came back after some of its pods were let go of. */
const letBe: PerformStep = async ({ record }) => ({
  outcome: 'skipped',
  detail: `nothing more is let go of: ${record.isolation?.over}`,
});

/** A brake stops no takeover from ending which has nothing left to do: that harms nobody. */
function heldUnlessEnded(holds: readonly string[]): PerformStep {
  return async (context) => {
    const live = await readLiveNode(context);
    if (live.state === 'alive') return letGoOf(live);
    return (live.state === 'gone' ? await endedByOthers(context) : undefined) ?? held(holds);
  };
}

/** One that has let go of something goes on all the same: what it marked is its own to give back. */
function successorOf(record: TakeoverRecord, witness: TakeoverWitness): string | undefined {
  const hasLetGo = record.steps.release !== undefined || record.isolation?.freed === true;
  return hasLetGo ? undefined : witness.successorOf?.(record);
}

/** Whatever bears the name of that mark later is somebody else's. */
function unmarked(record: TakeoverRecord): TakeoverRecord {
  return record.outOfService === true ? { ...record, outOfService: false } : record;
}

/** Nothing but its creation has come of it, by this very leader. */
function isJustClaimed({ epoch, leader, steps }: TakeoverRecord, term: LeaderTerm): boolean {
  const isAhead = Object.keys(steps).some((step) => step !== 'claim' && step !== 'cordon');
  return epoch === term.epoch && leader === term.identity && !isAhead && steps.cordon?.outcome === undefined;
}

/** How long to try to take our taint off a node that is given back. What is left is swept off later. */
const undoPatienceMs = 60_000;

/**
 * Performs takeovers. Safe to run for the same record in several terms, one after another: steps read live, writes are
 * conditional, and each step is claimed in the record, with the epoch, before it is done.
 */
export class TakeoverExecutor {
  readonly #cluster: TakeoverCluster;
  readonly #clock: Clock;
  readonly #fencers: ReadonlyMap<string, Fencer>;
  readonly #handOver: TakeoverExecutorOptions['handOver'];
  readonly #devices: DeviceQueue;
  readonly #probe: NodeProbe | undefined;
  readonly #onProgress: (progress: TakeoverProgress) => void;
  readonly #onHeld: (id: string, isHeld: boolean) => void;
  /** Ids of takeovers that brakes hold. */
  readonly #held = new Set<string>();
  readonly #writer: RecordWriter;

  constructor(options: TakeoverExecutorOptions) {
    this.#cluster = options.cluster;
    this.#clock = options.clock;
    this.#fencers = new Map(options.fencers.map((fencer) => [fencer.name, fencer]));
    this.#handOver = options.handOver;
    this.#devices = options.devices ?? new DeviceQueue();
    this.#probe = options.probe;
    this.#onProgress = options.onProgress;
    this.#onHeld = options.onHeld ?? (() => undefined);
    this.#writer = new RecordWriter({
      cluster: options.cluster,
      clock: options.clock,
      onSaved: options.onSaved ?? (() => undefined),
      onRetry: (record, detail) => this.#report(record, 'close', 'retrying', detail),
    });
  }

  /**
   * Opens the takeover of a death, or takes up the one that somebody opened before. What it puts on record is claimed, and has
   * begun with its first step.
   *
   * @throws {@link RecordUnreadableError} when something else lies under its id.
   */
  async open(term: LeaderTerm, record: TakeoverRecord): Promise<StoredRecord> {
    const at = this.#timestamp();
    const ours = { ...record, leader: term.identity };
    const taken = endStep(startStep(ours, 'claim', term.epoch, at), 'claim', { ...claimed, at });
    const stored = await this.#writer.open(term, startStep(taken, 'cordon', term.epoch, at));
    // Ours also when the answer to an earlier try was lost: then nobody was told yet.
    if (isJustClaimed(stored.record, term)) {
      this.#report(stored.record, 'claim', 'started', '');
      this.#report(stored.record, 'claim', claimed.outcome, claimed.detail);
    }
    return stored;
  }

  /**
   * Works on a record until it is closed, however long its fencers or its pods take.
   *
   * @throws {@link TermEndedError} when the term ends; the next leader goes on.
   * @throws {@link TakeoverTakenError} when the record is in other hands.
   * @throws {@link RecordUnreadableError} when somebody made the record unreadable meanwhile.
   */
  async run(term: LeaderTerm, opened: StoredRecord, witness: TakeoverWitness): Promise<StoredRecord> {
    try {
      return await this.#carry(term, new Draft(term, opened, this.#writer), witness);
    } finally {
      this.#devices.leave(opened.record.id);
      this.#noteHeld(opened.record.id, false);
    }
  }

  async #carry(term: LeaderTerm, draft: Draft, witness: TakeoverWitness): Promise<StoredRecord> {
    const looks = new Looks(this.#clock);
    for (;;) {
      const next = nextMove(draft.record);
      const successor = next.move === 'step' ? successorOf(draft.record, witness) : undefined;
      if (successor !== undefined) {
        const why = `takeover ${successor} of the same death was opened while this record could not be read`;
        await draft.write((now) => startLeaving(now, why));
      } else if (next.move === 'step') await this.#step(term, draft, next.step, witness, looks);
      else if (next.move === 'undo') await this.#undo(term, draft);
      else if (next.move === 'close') await this.#close(draft);
      else return draft.stored;
    }
  }

  /**
   * Takes the step as far as it goes. Its end is written with the beginning of the next step that acts, and at once where a
   * fencer was asked: what the next leader would find out by itself, and without harm, can wait until then.
   */
  async #step(
    term: LeaderTerm,
    draft: Draft,
    step: TakeoverStep,
    witness: TakeoverWitness,
    looks: Looks,
  ): Promise<void> {
    const before = draft.record.steps[step];
    if (before?.epoch !== term.epoch || before.outcome !== undefined) {
      const at = this.#timestamp();
      draft.note((record) => startStep(record, step, term.epoch, at));
      if (step === 'fence') {
        draft.note((record) => withFirstRung(record, this.#fencers, { at, epoch: term.epoch }));
      }
    }
    if (this.#mayAct(step, draft.record) || this.#hasUnwrittenAnswer(draft)) await draft.write();
    // In other hands, or changed: look again from the top at what is next.
    if (draft.record.steps[step]?.epoch !== term.epoch) return;
    this.#report(draft.record, step, 'started', '');

    const turn = new StepTurn(this.#tools, { step, term, draft, witness, looks });
    let told: string | undefined;
    let isBraked = false;
    for (;;) {
      const { record } = draft;
      const context = turn.context();
      const now = witness.nodeNow?.(record) ?? { gone: false };
      const current = await this.#broughtUpToDate(context, step, now);
      if (current !== undefined) {
        const brought = (one: TakeoverRecord): TakeoverRecord => withChanges(one, record, current);
        if (isSamePolicy(record.policy, current.policy) && !this.#mayAct(step, current)) {
          // What is on the Node by now. It is asked about right away, and written with what comes of that.
          draft.note(brought);
          continue;
        }
        await draft.write(brought);
        turn.unsettle();
        this.#devices.leave(record.id);
        this.#tellPolicy(record, draft.record);
        if (!turn.isNext) return;
        // Another policy may name fencers that harm.
        continue;
      }
      // A sign of life goes before any brake: what a step does then is to give the node back.
      const isOver = isLetBe(record) && takingSteps.has(step);
      const harms = heldSteps.has(step) && !isOver && context.lifeSign() === undefined;
      const holds = harms ? context.holds() : [];
      // Before it acts, which may take long. What the step itself finds held, it finds at once.
      if (harms && holds.length === 0 && isBraked) this.#noteHeld(record.id, false);
      isBraked = holds.length > 0;
      const { result: attempted, isAnswered } =
        holds.length === 0
          ? await this.#attempt(context, step, isOver ? letBe : this.#performerOf(step))
          : now.gone && step !== 'remove'
            ? await this.#attempt(context, step, heldUnlessEnded(holds))
            : { result: held(holds), isAnswered: true };
      const result = onceFreed(draft.record, attempted);
      this.#noteHeld(record.id, result.outcome === 'wait' && result.held === true);
      if (result.outcome !== 'wait' || result.atDevice !== true) this.#devices.leave(record.id);
      if (result.outcome === 'undo') return draft.write((one) => startUndoing(one, result.detail));
      if (result.outcome === 'overtaken') return draft.write((one) => startLeaving(one, result.detail));
      const { detail, findings } = result;
      if (result.outcome !== 'wait') {
        const end = { outcome: result.outcome, detail, at: this.#timestamp(), left: result.left ?? [] };
        // A device may have thought for long: what somebody put on the Node meanwhile outlives it, whoever leads next.
        const marked = withMarksOfNow(record, step, witness.nodeNow?.(record));
        draft.note(
          (one) => endStep({ ...withChanges(one, record, marked), ...findings }, step, end),
          (saved) => {
            if (saved.steps[step]?.outcome !== undefined) this.#report(saved, step, result.outcome, detail);
          },
        );
        return;
      }
      const note = { detail, spentMs: turn.spentMs };
      const isUnwritten = !draft.isWritten;
      // The step may have put something on record itself.
      const isWorthIt = isUnwritten || isWorthNoting(step, draft.record, result, turn.waited);
      const noted = (one: TakeoverRecord): TakeoverRecord => noteStep({ ...one, ...findings }, step, note);
      // Nothing that has happened stays unwritten while something is waited for.
      if (isUnwritten) await draft.write(noted);
      // Told anew by every leader: who looks into the log of this one wants to know what it waits for.
      if (withoutNumbers(detail) !== withoutNumbers(told ?? '') || told === undefined) {
        told = detail;
        this.#report(draft.record, step, 'waiting', detail, result.held === true);
      }
      if (isWorthIt) {
        turn.noted();
        if (!isUnwritten) await draft.write(noted);
      }
      if (!turn.isNext) return;
      await pauseInTerm(this.#clock, term, result.retryAfterMs, result.sooner);
      looks.forget();
      // While nobody answers nothing can be refused, and while a brake is on nothing is tried.
      turn.passed(result.held !== true && result.spares !== true && isAnswered);
    }
  }

  get #tools(): StepTools {
    return {
      cluster: this.#cluster,
      clock: this.#clock,
      fencers: this.#fencers,
      devices: this.#devices,
      probe: this.#probe,
    };
  }

  #noteHeld(id: string, isHeld: boolean): void {
    if (this.#held.has(id) === isHeld) return;
    if (isHeld) this.#held.add(id);
    else this.#held.delete(id);
    this.#onHeld(id, isHeld);
  }

  /** What a fencer that may harm has said is not on record yet: the next leader would ask it again. */
  #hasUnwrittenAnswer({ record, stored }: Draft): boolean {
    const isNew =
      record.steps.fence?.outcome !== undefined && stored.record.steps.fence?.outcome === undefined;
    return isNew && this.#mayAct('fence', record);
  }

  #mayAct(step: TakeoverStep, record: TakeoverRecord): boolean {
    return actingSteps.has(step) && (step !== 'fence' || !isHarmless({ record, fencers: this.#fencers }));
  }

  /** Whoever leads from the machine that is to be fenced makes way first, for somebody who sees it through. It says so before. */
  #performerOf(step: TakeoverStep): PerformStep {
    const perform = performers[step];
    const handOver = this.#handOver;
    if (step !== 'fence' || handOver === undefined) return perform;
    return async (context) => {
      if (isHarmless(context)) return perform(context);
      const isFirst = !context.settled.has(handingOver);
      const words = await handOver(context.record, isFirst);
      context.term.assertValid();
      if (words === undefined) {
        context.settled.delete(handingOver);
        return perform(context);
      }
      context.settled.set(handingOver, words);
      return { ...wait(words, retryAfterErrorMs), spares: true };
    };
  }

  /** An error that isn't about our leadership or our rights is a reason to wait, not to give up. */
  async #attempt(
    context: StepContext,
    step: TakeoverStep,
    perform: PerformStep,
  ): Promise<{ readonly result: StepResult; readonly isAnswered: boolean }> {
    try {
      return { result: await perform(context), isAnswered: true };
    } catch (error) {
      context.term.assertValid();
      const detail = wordsOf(error);
      this.#report(context.record, step, 'retrying', detail);
      return {
        result: { outcome: 'wait', detail, retryAfterMs: retryAfterErrorMs },
        isAnswered: !isUnanswered(error),
      };
    }
  }

  /** What it could not read now it asks for again at the next attempt. */
  async #broughtUpToDate(
    context: StepContext,
    step: TakeoverStep,
    now: NodeNow,
  ): Promise<TakeoverRecord | undefined> {
    try {
      return await broughtUpToDate(context, step, now, this.#timestamp());
    } catch {
      context.term.assertValid();
      return undefined;
    }
  }

  /** Told once it is on record, by whoever put it there. */
  #tellPolicy(before: TakeoverRecord, record: TakeoverRecord): void {
    const differences = policyDifferences(before.policy, record.policy);
    if (differences.length === 0) return;
    this.#report(record, 'policy', 'done', `it follows the policy of now: ${differences.join('; ')}`);
  }

  async #undo(term: LeaderTerm, draft: Draft): Promise<void> {
    await draft.write();
    const { record } = draft;
    this.#report(record, 'undo', 'started', record.undoing ?? record.overtaken ?? '');
    const startedAt = this.#clock.now();
    for (;;) {
      let problem: string;
      try {
        if (await takeMarksOff(this.#cluster, term, record)) return await this.#close(draft, [], unmarked);
        problem = 'the Node changed meanwhile, again and again';
      } catch (error) {
        term.assertValid();
        problem = wordsOf(error);
        this.#report(record, 'undo', 'retrying', problem);
      }
      if (this.#clock.now() - startedAt >= undoPatienceMs) {
        return this.#close(draft, [`taint ${takeoverTaint(record.id).key}: ${problem}`]);
      }
      await pauseInTerm(this.#clock, term, retryAfterErrorMs);
    }
  }

  async #close(
    draft: Draft,
    left: readonly string[] = [],
    change: (record: TakeoverRecord) => TakeoverRecord = (record) => record,
  ): Promise<void> {
    const at = this.#timestamp();
    await draft.write(
      (record) => close({ ...change(record), ...(left.length > 0 && { left }) }, at),
      (record) => {
        if (record.result === undefined) return;
        // Told once it is on record, as every step is: whoever comes next would tell it again.
        if (record.undoing !== undefined || record.overtaken !== undefined) {
          const marks = left.length > 0 ? `left on the Node: ${left.join(', ')}` : 'our taint is gone';
          this.#report(record, 'undo', 'done', marks);
        }
        this.#report(record, 'close', 'done', record.result);
      },
    );
  }

  #report(
    record: TakeoverRecord,
    step: TakeoverProgress['step'],
    phase: TakeoverProgress['phase'],
    detail: string,
    isHeld = false,
  ): void {
    this.#onProgress({ record, step, phase, detail, ...(isHeld && { held: true as const }) });
  }

  #timestamp(): string {
    return new Date(this.#clock.wallTime()).toISOString();
  }
}

/** What makes `after` another record than `before`, put onto what somebody else may have written meanwhile. */
function withChanges(one: TakeoverRecord, before: TakeoverRecord, after: TakeoverRecord): TakeoverRecord {
  const was: Readonly<Record<string, unknown>> = { ...before };
  const changed = Object.entries(after).filter(([name, value]) => value !== was[name]);
  const kept = Object.entries(one).filter(([name]) => !(name in before) || name in after);
  return Object.fromEntries([...kept, ...changed]) as unknown as TakeoverRecord;
}
