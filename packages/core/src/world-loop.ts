// Keeps one replica's world: tells it each fact as it comes, wakes it when its time has come, and hands on what it asks for.
import type { Clock, TimerHandle } from './time/clock.ts';
import { nextWakeAt, step } from './world.ts';
import { type Fact, type Intent, newWorld, type World, type WorldRules } from './world-state.ts';

export interface WorldLoopOptions {
  readonly rules: WorldRules;
  readonly clock: Clock;
  /** How often {@link WorldLoop.wake} is called whatever the world asks for, in milliseconds. Default: not at all. */
  readonly wakesEveryMs?: number;
  /** Called for each intent, after the world that asked for it is the one that is there. */
  readonly perform: (intent: Intent) => void;
  /** Called with whatever is thrown in a wake that nobody asked for: the world can't be trusted any more. */
  readonly onFailure: (error: unknown) => void;
  /** Called with whatever is thrown because of one fact: the world goes on without it, and one node's trouble is its own. */
  readonly onRefused: (fact: Fact, error: unknown) => void;
  /** Called with each fact before anything follows from it. Default: nobody listens. */
  readonly onFact?: (fact: Fact, at: number) => void;
}

/** What falls due within this long of something else that was due is looked at together with it. */
const togetherMs = 50;

/** A wake that is late by more than this shows that we stood still, and that what others said meanwhile is unread. */
const stalledAfterMs = 250;

export class WorldLoop {
  readonly #options: WorldLoopOptions;
  #world: World;
  #timer: TimerHandle | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #wokeAt: number;
  #running = false;

  constructor(options: WorldLoopOptions) {
    this.#options = options;
    this.#wokeAt = options.clock.now();
    this.#world = newWorld(options.rules, this.#wokeAt);
  }

  get world(): World {
    return this.#world;
  }

  /** From now on the world is woken when it asks for it. */
  start(): void {
    this.#running = true;
    this.#arm();
  }

  stop(): void {
    this.#running = false;
    this.#disarm();
  }

  tell(fact: Fact): void {
    const now = this.#options.clock.now();
    try {
      this.#step(fact, now);
    } catch (error) {
      // Whoever brought it can do nothing about it, and would take it for a failure of its own.
      this.#options.onRefused(fact, error);
    }
    this.#arm();
  }

  /** Says now what all facts so far mean. */
  wake(): void {
    const now = this.#options.clock.now();
    const { wakesEveryMs = Number.POSITIVE_INFINITY } = this.#options;
    const lateMs = now - Math.min(this.#timerAt, this.#wokeAt + wakesEveryMs);
    this.#disarm();
    if (lateMs > stalledAfterMs) this.#step({ kind: 'stalled', forMs: lateMs }, now);
    this.#wokeAt = now;
    this.#step({ kind: 'wake' }, now);
    this.#arm();
  }

  #wakeByItself(): void {
    try {
      this.wake();
    } catch (error) {
      this.#options.onFailure(error);
    }
  }

  #step(fact: Fact, now: number): void {
    this.#options.onFact?.(fact, now);
    const { world, intents } = step(this.#world, fact, now);
    this.#world = world;
    for (const intent of intents) this.#options.perform(intent);
  }

  #arm(): void {
    if (!this.#running) return;
    const { clock } = this.#options;
    const now = clock.now();
    const wanted = nextWakeAt(this.#world, now);
    const at = this.#world.stirred ? wanted : Math.max(wanted, this.#wokeAt + togetherMs);
    if (at >= this.#timerAt || at === Number.POSITIVE_INFINITY) return;
    this.#disarm();
    this.#timerAt = at;
    this.#timer = clock.setTimeout(() => this.#wakeByItself(), at - now);
  }

  #disarm(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }
}
