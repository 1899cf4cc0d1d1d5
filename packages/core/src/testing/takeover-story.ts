import { notedOf } from '../evidence/noted-node.ts';
import type { NodeProbe } from '../evidence/witnesses/prober.ts';
import type { FenceContext } from '../fencing/fence-context.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import type { FenceResult, Fencer } from '../fencing/fencer.ts';
import { manualFencer } from '../fencing/manual.ts';
import { TakeoverExecutor, type TakeoverProgress } from '../takeover/executor.ts';
import type { RecordedPolicy, TakeoverRecord } from '../takeover/record.ts';
import type { NodeNow, TakeoverWitness } from '../takeover/witness.ts';
import type { RenewableTerm } from '../term/leader-term.ts';
import { clusterWithDeadNode, endlessTerm, newRecord } from './dead-node.ts';
import { ManualClock } from './manual-clock.ts';
import type { CallFate, MemoryCluster } from './memory-cluster.ts';

/** One takeover of node-1 by one leader. */
export class TakeoverStory {
  readonly clock: ManualClock = new ManualClock({ turns: 1 });
  readonly cluster: MemoryCluster = clusterWithDeadNode(this.clock);
  readonly progress: TakeoverProgress[] = [];
  readonly fenced: string[] = [];
  term: RenewableTerm = endlessTerm(this.clock, 1);
  holds: readonly string[] = [];
  /** What the caches show; by default just what is so. */
  lifeSign: (record: TakeoverRecord) => string | undefined = ({ lastHeartbeat }) => {
    const renewTime = this.cluster.leases.get('node-1')?.spec?.renewTime ?? lastHeartbeat;
    return renewTime === lastHeartbeat ? undefined : 'its Lease is renewed again';
  };
  /** Done as a step is taken up, before it acts. */
  whenStarted: { readonly [step: string]: () => void } = {};
  /** The policy that counts for the node now; undefined: the one that its record was opened under. */
  policy: RecordedPolicy | undefined;
  /** What "ipmi" does. */
  fence: (target: FenceTarget, context: FenceContext) => FenceResult | Promise<FenceResult> = () => ({
    outcome: 'fenced',
    proof: 'powered-off',
    detail: 'the BMC says off',
  });
  /** What a probe hears of the host. */
  probe: NodeProbe = async () => 'silent';
  /** Whether another machine has its address by now. */
  addressIsReused = false;
  /** Fencers beside "ipmi" and "manual". */
  more: readonly Fencer[] = [];
  /** What the takeover came to, once it did. */
  outcome: { record: TakeoverRecord } | { threw: unknown } | undefined;

  get executor(): TakeoverExecutor {
    const ipmi: Fencer = {
      name: 'ipmi',
      fence: async (target, context) => {
        this.fenced.push(target.deathId);
        return this.fence(target, context);
      },
    };
    return new TakeoverExecutor({
      cluster: this.cluster,
      clock: this.clock,
      fencers: [ipmi, manualFencer, ...this.more],
      probe: (node, signal) => this.probe(node, signal),
      onProgress: (progress) => {
        this.progress.push(progress);
        if (progress.phase === 'started') this.whenStarted[progress.step]?.();
      },
    });
  }

  get witness(): TakeoverWitness {
    return {
      nodeNow: (record) => this.nodeNow(record),
      lifeSign: (record) => this.lifeSign(record),
      holds: () => this.holds,
      addressIsReused: () => this.addressIsReused,
    };
  }

  nodeNow({ policy, node }: TakeoverRecord): NodeNow {
    const seen = this.cluster.nodes.get('node-1');
    const noted = seen?.metadata.uid === node.uid ? { noted: notedOf(seen) } : {};
    return { gone: seen === undefined, ...noted, policy: this.policy ?? policy };
  }

  get record(): TakeoverRecord {
    const stored = this.cluster.records.get('death');
    if (stored === undefined) throw new Error('there is no record');
    return stored.record;
  }

  /** Every step that ended, and how. */
  get ended(): readonly string[] {
    return this.progress
      .filter(({ phase }) => phase === 'done' || phase === 'skipped')
      .map(({ step, phase }) => `${step} ${phase}`);
  }

  start(change: Partial<TakeoverRecord> = {}): this {
    const { executor, term } = this;
    executor
      .open(term, newRecord(change))
      .then((stored) => executor.run(term, stored, this.witness))
      .then(
        ({ record }) => {
          this.outcome = { record };
        },
        (threw: unknown) => {
          this.outcome = { threw };
        },
      );
    return this;
  }

  async pass(ms: number): Promise<this> {
    await this.clock.advance(ms);
    return this;
  }

  /** Ends the takeover's life as the test ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.term.end('the test is over');
    await this.clock.advance(0);
  }

  /** Gives a fate to the calls of one method, once each. */
  trouble(method: string, ...fates: readonly CallFate[]): void {
    const left = [...fates];
    this.cluster.fateOf = (call) => (call.method === method ? left.shift() : undefined);
  }
}
