// What nodes, their hosts and Kubernetes would say, before and after some of them die. Pure.
import type { NodeFact, ProbeResult } from '../../evidence/fact.ts';
import { readyStatusOf } from '../../evidence/node-status.ts';
import { renewTimeOf } from '../../evidence/renew-time.ts';
import { projectNode } from '../../evidence/witnesses/node-projection.ts';
import type { Lease, Node } from '../../kubernetes/objects.ts';
import type { Schedule } from './schedule.ts';

/**
 * How a node dies.
 * - `crash`: the machine is off, or cut off: from outside that is the same. Nothing of it answers.
 * - `stop-kubelet`: its kubelet is gone, and the machine refuses connections to it. What ran there may still write.
 */
export type WayToDie = 'crash' | 'stop-kubelet';

/**
 * When Kubernetes calls a silent node Unknown, after its last renewal: 50 s since v1.32, looked at every 5 s. Measured on a real
 * control plane: 43.5 to 52.2 s after the crash.
 */
const calledUnknownAfterMs = 50_000;

/** A host that is there answers at once. */
const answerMs = 1;

export interface VirtualFleetOptions {
  readonly nodes: readonly Node[];
  /** Of `kube-node-lease`. Undefined: nobody may read them, so every node is taken to have one. */
  readonly leases: readonly Lease[] | undefined;
  readonly killed: ReadonlySet<string>;
  readonly how: WayToDie;
  readonly killAt: number;
  readonly heartbeatIntervalMs: number;
  /** How hosts are asked; undefined: they are not. */
  readonly probe: { readonly intervalMs: number; readonly timeoutMs: number } | undefined;
  readonly schedule: Schedule;
  readonly now: () => number;
  readonly tell: (fact: NodeFact) => void;
  /** Names of nodes whose hosts are to be asked now. */
  readonly toAsk: () => Iterable<string>;
}

/**
 * Nodes that Kubernetes calls Unknown have been silent for long, and so have their hosts; all others are well until they are
 * killed, and whoever watches has heard their hosts before.
 */
export class VirtualFleet {
  readonly #options: VirtualFleetOptions;
  readonly #nodes: Map<string, Node>;
  readonly #silent: Set<string>;
  readonly #asking = new Set<string>();
  #renewals = 0;

  constructor(options: VirtualFleetOptions) {
    this.#options = options;
    const nodes = options.nodes.map(projectNode);
    this.#nodes = new Map(nodes.map((node) => [node.metadata.name, node]));
    this.#silent = new Set(
      nodes.flatMap((node) => (readyStatusOf(node) === 'Unknown' ? [node.metadata.name] : [])),
    );
  }

  /** Tells what a watch brings at first, and arranges what comes later. */
  begin(): void {
    const { leases, schedule, now, killAt, heartbeatIntervalMs, killed, tell, probe } = this.#options;
    const renewed = new Map((leases ?? []).map((lease) => [lease.metadata.name, renewTimeOf(lease)]));
    const names = [...this.#nodes.keys()].toSorted();
    for (const node of this.#nodes.values()) tell({ kind: 'node', node });
    const ages = this.#agesOf(renewed);
    names.forEach((name, index) => {
      const hasLease = leases === undefined || renewed.has(name);
      if (hasLease) tell({ kind: 'lease', name, renewTime: renewed.get(name) ?? 'unread', listed: true });
      if (hasLease && !this.#silent.has(name)) {
        // Nodes beat out of step; of whom nobody knows how, any step is as good as another.
        const age = ages.get(name) ?? (1 - (index + 0.5) / names.length) * heartbeatIntervalMs;
        const phase = (killAt - now() - age) % heartbeatIntervalMs;
        schedule.every(heartbeatIntervalMs, now() + phase, () => this.#renew(name));
      }
      if (killed.has(name)) schedule.at(killAt, () => this.#kill(name));
    });
    if (probe === undefined) return;
    for (const name of names) if (!this.#silent.has(name)) this.#answer(name, 'answered');
    schedule.every(probe.intervalMs, now() + probe.intervalMs, () => this.#askHosts(probe.timeoutMs));
  }

  /** Somebody writes to a Node, if it is there still. */
  change(name: string, change: (node: Node) => Node): void {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    const changed = change(node);
    this.#nodes.set(name, changed);
    this.#options.tell({ kind: 'node', node: changed });
  }

  /** Its Node is deleted, and its Lease, which belongs to it, is collected. */
  remove(name: string): void {
    if (!this.#nodes.delete(name)) return;
    this.#options.tell({ kind: 'node-gone', name });
    this.#options.tell({ kind: 'lease-gone', name });
  }

  /**
   * By node, how long before the deaths its last renewal was: as long as before the newest of all, which was just then. The
   * clocks are those of the nodes, so it is as good as they agree; but nothing is done by it.
   */
  #agesOf(renewed: ReadonlyMap<string, string | undefined>): ReadonlyMap<string, number> {
    const { heartbeatIntervalMs } = this.#options;
    const beating = [...renewed].filter(([name]) => this.#nodes.has(name) && !this.#silent.has(name));
    const times = beating
      .map(([name, text]) => [name, Date.parse(text ?? '')] as const)
      .filter(([, time]) => Number.isFinite(time));
    const newest = times.reduce((most, [, time]) => Math.max(most, time), Number.NEGATIVE_INFINITY);
    return new Map(times.map(([name, time]) => [name, Math.max(1, (newest - time) % heartbeatIntervalMs)]));
  }

  #renew(name: string): void {
    if (!this.#silent.has(name)) {
      this.#options.tell({ kind: 'lease', name, renewTime: `renewal ${++this.#renewals}` });
    }
  }

  #kill(name: string): void {
    if (this.#silent.has(name)) return;
    const { schedule, killAt, heartbeatIntervalMs } = this.#options;
    this.#silent.add(name);
    // Counted from its last renewal, which was on average half an interval before.
    schedule.at(killAt + calledUnknownAfterMs - heartbeatIntervalMs / 2, () =>
      this.change(name, calledUnknown),
    );
  }

  #askHosts(timeoutMs: number): void {
    const { schedule, now, toAsk, killed, how, killAt } = this.#options;
    for (const name of toAsk()) {
      if (this.#asking.has(name)) continue;
      const refuses = killed.has(name) && how === 'stop-kubelet' && now() >= killAt;
      const result = !this.#silent.has(name) ? 'answered' : refuses ? 'refused' : 'silent';
      this.#asking.add(name);
      schedule.at(now() + (result === 'silent' ? timeoutMs : answerMs), () => {
        this.#asking.delete(name);
        this.#answer(name, result);
      });
    }
  }

  #answer(name: string, result: ProbeResult): void {
    const uid = this.#nodes.get(name)?.metadata.uid;
    if (uid !== undefined) this.#options.tell({ kind: 'probe', name, uid, result });
  }
}

function calledUnknown(node: Node): Node {
  return {
    ...node,
    status: {
      ...node.status,
      conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }],
    },
  };
}
