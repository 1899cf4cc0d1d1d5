// What a kubelet tells the API about its node: the registration, the status and the heartbeat.
import type { TimerHandle } from '@liberator/core';
import { copyOf, sameMeaning } from '../store/wire-value.ts';
import { between } from '../time/seeded-random.ts';
import { setCondition } from './conditions.ts';
import { type ControllerContext, isRefusal } from './controller.ts';
import type { ControllerClient } from './controller-client.ts';
import { healthyConditions, nodeToRegister, registeredLabels, statusFields } from './node-object.ts';
import type { KubeletHost } from './node-spec.ts';
import { microTimeText, timeText } from './timestamps.ts';
import { wholeSeconds } from './timings.ts';
import type { Draft, Lease, Node } from './wire-objects.ts';

const leaseNamespace = 'kube-node-lease';
/** As client-go has it: a renewal comes up to this much late, so that a fleet's renewals spread out. */
const renewJitter = 0.04;

/** Registers the Node once, then keeps its Lease and its status fresh while the API can be reached. */
export class NodeReporter {
  readonly #context: ControllerContext;
  readonly #client: ControllerClient;
  readonly #host: KubeletHost;
  readonly #volumesInUse: () => readonly string[];
  readonly #target: { readonly metadata: { readonly name: string } };
  readonly #timers = new Map<'lease' | 'status', TimerHandle>();
  #online = false;
  #registered = false;
  #readyAt = 0;
  #firstLeaseAt = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;
  /** The Node as it was when its status was last found to be right. Stored objects never change, so being it is proof. */
  #agreed: Node | undefined;

  constructor(
    context: ControllerContext,
    client: ControllerClient,
    host: KubeletHost,
    volumesInUse: () => readonly string[],
  ) {
    this.#context = context;
    this.#client = client;
    this.#host = host;
    this.#volumesInUse = volumesInUse;
    this.#target = { metadata: { name: host.spec.name } };
  }

  goOnline(): void {
    if (this.#online) return;
    this.#online = true;
    const now = this.#context.clock.now();
    if (!this.#registered) this.#register();
    this.#schedule('status', Math.max(this.#readyAt - now, 0), () => this.#checkStatus());
    this.#schedule('lease', Math.max(this.#firstLeaseAt - now, 0), () => this.#renew());
  }

  goOffline(): void {
    this.#online = false;
    for (const timer of this.#timers.values()) this.#context.clock.clearTimeout(timer);
    this.#timers.clear();
  }

  /** Writes the status now rather than at the next look. */
  statusChanged(): void {
    this.#agreed = undefined;
    if (this.#online && this.#context.clock.now() >= this.#readyAt) this.#attempt(() => this.#writeStatus());
  }

  #register(): void {
    const { clock, random, timings } = this.#context;
    this.#registered = true;
    this.#readyAt = clock.now() + between(random, 0.5, 1.5) * timings.nodeReadyMs;
    // A Lease that survived is renewed at once; a new one appears a while after Ready.
    this.#firstLeaseAt = this.#lease() === undefined ? this.#readyAt + timings.firstLeaseMs : clock.now();
    const known = this.#node();
    if (known === undefined) {
      this.#attempt(() => this.#client.create('nodes', nodeToRegister(this.#host, clock)));
      return;
    }
    this.#attempt(() => {
      this.#client.change('nodes', known, (draft) => {
        draft.metadata.labels = { ...draft.metadata.labels, ...registeredLabels(this.#host.spec) };
        return true;
      });
    });
  }

  /** Looks every ten seconds and writes when something differs, or when it last wrote long ago. */
  #checkStatus(): void {
    this.#schedule('status', this.#context.timings.nodeStatusUpdateMs, () => this.#checkStatus());
    this.#attempt(() => this.#writeStatus());
  }

  #writeStatus(): void {
    const { clock, timings } = this.#context;
    const overdue = clock.now() - this.#reportedAt >= timings.nodeStatusReportMs;
    if (!overdue && this.#agreed !== undefined && this.#agreed === this.#node()) return;
    this.#agreed = this.#client.change(
      'nodes',
      this.#target,
      (draft) => {
        const changed = this.#applyStatus(draft);
        if (!changed && !overdue) return false;
        for (const condition of draft.status?.conditions ?? []) condition.lastHeartbeatTime = timeText(clock);
        this.#reportedAt = clock.now();
        return true;
      },
      'status',
    );
  }

  #applyStatus(draft: Draft<Node>): boolean {
    const { clock } = this.#context;
    const before = copyOf(draft.status);
    const conditions = draft.status?.conditions ?? [];
    for (const condition of healthyConditions) setCondition(conditions, condition, clock);
    const volumes = [...this.#volumesInUse()];
    const status: NonNullable<Draft<Node>['status']> = {
      ...draft.status,
      ...(statusFields(this.#host) as object),
      conditions,
      volumesInUse: volumes,
    };
    if (volumes.length === 0) delete status.volumesInUse;
    draft.status = status;
    return !sameMeaning(status, before);
  }

  #renew(): void {
    const { clock, random, timings } = this.#context;
    const delayMs = timings.leaseRenewMs * (1 + renewJitter * random.next());
    this.#schedule('lease', delayMs, () => this.#renew());
    this.#attempt(() => {
      const renewTime = microTimeText(clock);
      const renewed = this.#client.change('leases', { metadata: this.#leaseMetadata() }, (draft) => {
        draft.spec = { ...draft.spec, renewTime };
        return true;
      });
      if (renewed === undefined) this.#createLease(renewTime);
    });
  }

  /** Without a Node there is nobody to own the Lease, so there is no Lease either. */
  #createLease(renewTime: string): void {
    const node = this.#node();
    if (node === undefined) return;
    const { name, uid } = node.metadata;
    this.#client.create('leases', {
      metadata: {
        ...this.#leaseMetadata(),
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }],
      },
      spec: {
        holderIdentity: name,
        leaseDurationSeconds: wholeSeconds(this.#context.timings.leaseDurationMs),
        renewTime,
      },
    });
  }

  #leaseMetadata(): { readonly namespace: string; readonly name: string } {
    return { namespace: leaseNamespace, name: this.#host.spec.name };
  }

  #lease(): Lease | undefined {
    return this.#client.find('leases', leaseNamespace, this.#host.spec.name);
  }

  #node(): Node | undefined {
    return this.#client.find('nodes', undefined, this.#host.spec.name);
  }

  #schedule(what: 'lease' | 'status', delayMs: number, act: () => void): void {
    this.#timers.set(what, this.#context.clock.setTimeout(act, delayMs));
  }

  /** The next look comes anyway, so a refusal is left to it. */
  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!isRefusal(error)) this.#context.report(error, `kubelet of ${this.#host.spec.name}`);
    }
  }
}
