// The writes of fencers to custom resources: each with a permit of its own, within the term, conditional on a live read.

import type { FencePermit, FenceRefusal } from '../fencing/fence-context.ts';
import { refused } from '../fencing/fence-context.ts';
import type { GuardedResources, NewObject } from '../fencing/guarded-resources.ts';
import type { KubernetesClient, RequestOptions } from '../kubernetes/client.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kubernetes/errors.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import { apiVersionOf, type Resource } from '../kubernetes/resources.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import { limitsOf } from '../term/write-in-term.ts';
import type { Clock } from '../time/clock.ts';

/** Under which conditions a fencer may write. */
export interface WritingRules {
  /** Nothing is sent beyond its end. */
  readonly term: LeaderTerm;
  /** Asked before each write. */
  readonly permit: () => Promise<FencePermit>;
  /** Nothing is sent once it aborts. */
  readonly signal: AbortSignal;
}

/** Makes the port for one call of a fencer. */
export type CustomResources = (rules: WritingRules) => GuardedResources;

/** On a real API server, or on anything that speaks its protocol. */
export function customResourcesOf(client: KubernetesClient, clock: Clock): CustomResources {
  return (rules) => new ResourcesInTerm(client, clock, rules);
}

class ResourcesInTerm implements GuardedResources {
  readonly #client: KubernetesClient;
  readonly #clock: Clock;
  readonly #rules: WritingRules;
  /** What was read here, in this term: nothing else is to be written to. */
  readonly #read = new WeakSet<KubernetesObject>();

  constructor(client: KubernetesClient, clock: Clock, rules: WritingRules) {
    this.#client = client;
    this.#clock = clock;
    this.#rules = rules;
  }

  async read<T extends KubernetesObject>(resource: Resource<T>, name: string): Promise<T | undefined> {
    expectCustom(resource);
    const { term, signal } = this.#rules;
    const limits = limitsOf(term);
    try {
      const options = { ...limits, signal: AbortSignal.any([limits.signal, signal]) };
      const object = await this.#client.get(resource, { name }, options);
      this.#read.add(object);
      return object;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  create<T extends KubernetesObject>(
    resource: Resource<T>,
    object: NewObject<T>,
  ): Promise<'written' | 'exists' | FenceRefusal> {
    const body = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
    return this.#write({ verb: 'create', resource, body }, (error) =>
      isAlreadyExists(error) ? 'exists' : undefined,
    );
  }

  patch<T extends KubernetesObject>(
    resource: Resource<T>,
    seen: T,
    { spec }: { readonly spec: object },
  ): Promise<'written' | 'conflict' | 'gone' | FenceRefusal> {
    const contentType = 'application/merge-patch+json';
    const body = { metadata: this.#conditionsOf(seen), spec };
    const { name } = seen.metadata;
    return this.#write({ verb: 'patch', resource, name, contentType, body }, outcomeOf);
  }

  delete<T extends KubernetesObject>(
    resource: Resource<T>,
    seen: T,
  ): Promise<'written' | 'conflict' | 'gone' | FenceRefusal> {
    const body = { preconditions: this.#conditionsOf(seen) };
    return this.#write({ verb: 'delete', resource, name: seen.metadata.name, body }, outcomeOf);
  }

  #conditionsOf(seen: KubernetesObject): { uid: string; resourceVersion: string } {
    if (!this.#read.has(seen)) {
      throw new TypeError(`expected an object that was read through this port, found ${seen.metadata.name}`);
    }
    return { uid: seen.metadata.uid, resourceVersion: seen.metadata.resourceVersion };
  }

  async #write<O extends string>(
    request: Pick<RequestOptions, 'verb' | 'resource' | 'name' | 'contentType' | 'body'>,
    outcome: (error: unknown) => O | undefined,
  ): Promise<'written' | O | FenceRefusal> {
    expectCustom(request.resource);
    const { term, permit, signal } = this.#rules;
    const permitted = await permit();
    if (permitted.outcome === 'refused') return permitted;
    if (signal.aborted) return refused('called-off', 'nobody waits for this answer any more');
    const limits = limitsOf(term);
    const until = this.#clock.now() + permitted.validForMs;
    try {
      await this.#client.request({
        ...request,
        timeoutMs: limits.timeoutMs,
        signal: AbortSignal.any([limits.signal, signal]),
        beforeSend: () => {
          term.assertValid();
          signal.throwIfAborted();
          if (this.#clock.now() >= until) throw new PermitOverError();
        },
      });
      return 'written';
    } catch (error) {
      if (error instanceof PermitOverError) return refused('unknown', error.message);
      const known = outcome(error);
      if (known === undefined) throw error;
      return known;
    }
  }
}

/** The request had to wait for its turn for longer than what was seen holds. Nothing was sent. */
class PermitOverError extends Error {
  override readonly name = 'PermitOverError';

  constructor() {
    super('the permit ran out before the request left');
  }
}

function outcomeOf(error: unknown): 'conflict' | 'gone' | undefined {
  if (isConflict(error)) return 'conflict';
  return isNotFound(error) ? 'gone' : undefined;
}

/** Groups without a dot, and all of k8s.io, are Kubernetes' own. */
function expectCustom({ group, plural, namespaced }: Resource): void {
  const isCustom = group.includes('.') && group !== 'k8s.io' && !group.endsWith('.k8s.io');
  if (!isCustom || namespaced) {
    throw new TypeError(`expected a custom resource without a namespace, found ${plural} of "${group}"`);
  }
}
