// What controllers tell people: Kubernetes Events, repeated ones counted, old ones removed.
import { type Controller, type ControllerContext, every, isRefusal } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import { timeText } from './timestamps.ts';
import type { Event, KubernetesObject } from './wire-objects.ts';

/** Writes Events under one component's name. */
export class EventRecorder {
  readonly #context: ControllerContext;
  readonly #client: ControllerClient;
  readonly #component: string;
  /** The Event that already says the same thing, by what it says. */
  readonly #known = new Map<string, Event>();

  constructor(context: ControllerContext, user: string, component: string) {
    this.#context = context;
    this.#client = new ControllerClient(context.store, user);
    this.#component = component;
  }

  /** Says `message` about `object`; the same words about the same object raise the count of the Event that there is. */
  record(object: KubernetesObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const key = `${object.metadata.uid} ${reason} ${message}`;
    const known = this.#known.get(key);
    try {
      const counted =
        known &&
        this.#client.change('events', known, (draft) => {
          draft.count = (draft.count ?? 1) + 1;
          draft.lastTimestamp = timeText(this.#context.clock);
          return true;
        });
      if (counted !== undefined) return;
      if (this.#known.size > 1_000) this.#known.clear();
      this.#known.set(key, this.#create(object, type, reason, message));
    } catch (error) {
      // An Event is never worth failing for; a namespace that is being deleted takes none.
      if (!isRefusal(error)) throw error;
    }
  }

  #create(
    { apiVersion = 'v1', kind = '', metadata }: KubernetesObject,
    type: string,
    reason: string,
    message: string,
  ) {
    const now = timeText(this.#context.clock);
    return this.#client.create('events', {
      metadata: { generateName: `${metadata.name}.`, namespace: metadata.namespace ?? 'default' },
      involvedObject: {
        apiVersion,
        kind,
        name: metadata.name,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        uid: metadata.uid,
      },
      reason,
      message,
      type,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: this.#component },
      reportingComponent: this.#component,
    });
  }
}

/** Removes Events that nothing repeated for their time to live, as a real server's storage does by itself. */
export class EventExpiry implements Controller {
  readonly #context: ControllerContext;
  readonly #client: ControllerClient;
  #end: (() => void) | undefined;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#client = new ControllerClient(context.store, 'system:apiserver');
  }

  start(): void {
    const { eventTtlMs } = this.#context.timings;
    this.#end = every(this.#context, eventTtlMs / 4, 'event expiry', () => {
      const oldest = this.#context.clock.wallTime() - eventTtlMs;
      for (const event of this.#client.list('events')) {
        const last = event.lastTimestamp ?? event.metadata.creationTimestamp;
        if (last !== undefined && Date.parse(last) < oldest) this.#client.delete('events', event);
      }
    });
  }

  stop(): void {
    this.#end?.();
  }
}
