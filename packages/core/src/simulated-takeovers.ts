// What takeovers would do in virtual time, and how long each step would take. Pure.
import type { KnownNode } from './evidence/known-node.ts';
import type { FenceProof } from './fencing/proof.ts';
import { confirmedDeadAnnotation } from './marks/confirmed.ts';
import { takeoverTaint, withTaints } from './marks/taints.ts';
import type { Decision } from './policy/decision.ts';
import type { Policy } from './policy/policy.ts';
import type { Evacuation, LeavingPods } from './preflight/deaths/evacuation.ts';
import type { SimulatedEvent, SimulatedHold } from './preflight/deaths/moment.ts';
import type { Schedule } from './preflight/deaths/schedule.ts';
import type { FencerAssumption } from './preflight/deaths/simulation.ts';
import type { VirtualFleet } from './preflight/deaths/virtual-fleet.ts';
import { SimulatedBrakes } from './simulated-brakes.ts';
import { openingRecord } from './takeover/opening.ts';
import { byOrder, nextMove, occupiesNode, type TakeoverRecord, waitsForProof } from './takeover/record.ts';
import { openTakeoverId } from './takeover/records/records.ts';
import { WorldWitness } from './takeover-witness.ts';
import type { Fact, World } from './world-state.ts';

/**
 * How long each step takes, as measured on a real control plane with hollow kubelets (the picture of a recovery in the README):
 * claim 8 ms, cordon 23, fence 9, recheck 16; release 1.11 s, most of it the second that is left to Kubernetes' own eviction;
 * remove 38; then 535 until the replacement is Ready. Where a finalizer holds a pod, release gives up after 65 s in all. A control plane under load takes longer, and so does a database.
 */
const typicalMs = {
  claimAndCordon: 31,
  fence: 9,
  recheckAndRelease: 1_126,
  giveUp: 63_900,
  remove: 38,
  ready: 535,
} as const;

/** How often a takeover that is held looks whether it still is. */
const lookAgainMs = 1_000;

export interface SimulatedTakeoversOptions {
  readonly schedule: Schedule;
  readonly evacuation: Evacuation;
  readonly fleet: VirtualFleet;
  readonly fencers: Readonly<Record<string, FencerAssumption>>;
  /** How long after it is asked for a human confirms a death; undefined: nobody does. */
  readonly confirmAfterMs: number | undefined;
  readonly world: () => World;
  readonly now: () => number;
  readonly inform: (fact: Fact) => void;
  readonly tell: (event: SimulatedEvent) => void;
}

/** How far a takeover came. */
export interface SimulatedTakeover {
  readonly node: string;
  /** Undefined: it was on record already. */
  readonly admittedAt?: number;
  readonly state: 'under-way' | 'waits' | 'over';
  readonly releasedAt?: number;
  readonly left?: LeavingPods;
}

interface Fenced {
  readonly proof: FenceProof;
  readonly tookMs: number;
}

export class SimulatedTakeovers {
  readonly #options: SimulatedTakeoversOptions;
  /** By node, in the order in which they were begun. */
  readonly #takeovers = new Map<string, SimulatedTakeover>();
  /** By id, as a leader would find them. */
  readonly #records = new Map<string, TakeoverRecord>();
  readonly #witness: WorldWitness;
  readonly #brakes: SimulatedBrakes;
  /** Things that will happen by themselves. */
  #pending = 0;
  #version = 0;

  constructor(options: SimulatedTakeoversOptions) {
    this.#options = options;
    this.#witness = new WorldWitness(options);
    this.#brakes = new SimulatedBrakes(this.#witness, options.tell);
  }

  get all(): ReadonlyMap<string, SimulatedTakeover> {
    return this.#takeovers;
  }

  /** Whether nothing will happen by itself any more. */
  get isQuiet(): boolean {
    return this.#pending === this.#brakes.heldForGood;
  }

  /** The brakes on the takeover of a node. */
  holdsOn(node: string): readonly SimulatedHold[] {
    return this.#brakes.holdsOn(node);
  }

  /** What earlier leaders left goes on from where it stands, and what waits for a proof goes on waiting. */
  takeUp(records: readonly TakeoverRecord[]): void {
    for (const found of records.toSorted(byOrder)) {
      this.#save(found);
      if (!occupiesNode(found)) continue;
      const { name } = found.node;
      // It follows the policy of now until it has released anything.
      const { policy = found.policy } = found.steps.release === undefined ? this.#witness.nodeNow(found) : {};
      const record = { ...found, policy };
      this.#takeovers.set(name, { node: name, state: 'under-way' });
      this.#options.inform({ kind: 'work', node: name, state: 'works' });
      if (waitsForProof(record)) this.#wait(record);
      else this.#after(0, () => this.#goOn(record));
    }
  }

  #goOn(record: TakeoverRecord): void {
    const assessment = this.#options.world().ledger.nodes.get(record.node.name)?.assessment;
    const lives = assessment?.health === 'alive' && assessment.evidence !== 'proven';
    // No brake is on for what only gives back.
    if (lives || record.undoing !== undefined || record.overtaken !== undefined) {
      this.#after(typicalMs.remove, () => this.#leave(record));
      return;
    }
    const next = nextMove(record);
    const step = next.move === 'step' ? next.step : 'remove';
    if (step === 'claim' || step === 'cordon') {
      this.#harm(record, typicalMs.claimAndCordon, () => this.#fence(record));
    } else if (step === 'fence') {
      this.#harm(record, 0, () => this.#fence(record));
    } else if (step === 'recheck' || step === 'release') {
      this.#harm(record, typicalMs.recheckAndRelease, () => this.#release(record));
    } else {
      this.#harm(record, typicalMs.remove, () => this.#remove(record, record.policy.node === 'keep'));
    }
  }

  /** Its node lives, or is somebody else's by now. */
  #leave(record: TakeoverRecord): void {
    this.#takeovers.delete(record.node.name);
    this.#end(record, record.steps.release === undefined ? 'undone' : 'recovered');
  }

  begin(node: KnownNode<Policy>, decision: Decision): void {
    const { policy } = node;
    const record = this.#recordOf(node, decision);
    if (policy === undefined || record === undefined) return;
    const { name } = record.node;
    this.#takeovers.set(name, { node: name, admittedAt: this.#options.now(), state: 'under-way' });
    this.#save(record);
    this.#options.tell({ kind: 'admitted', node: name, policy: policy.name });
    this.#harm(record, typicalMs.claimAndCordon, () => this.#fence(record));
  }

  #fence(record: TakeoverRecord): void {
    const found = this.#climb(record);
    if (found === undefined) this.#wait(record);
    else this.#fenced(record, found);
  }

  /** As the ladder does: the first proof that satisfies wins; without one it waits, or goes on where none is required. */
  #climb(record: TakeoverRecord): Fenced | undefined {
    const { proof: demand, drivers } = record.policy;
    let tookMs: number = typicalMs.fence;
    let waits = false;
    for (const driver of drivers) {
      if (this.#asksHuman(driver)) {
        if (this.#isConfirmed(record)) return { proof: 'confirmed-by-human', tookMs };
        waits = true;
        continue;
      }
      const { proof, tookMs: more } = this.#options.fencers[driver] as Exclude<FencerAssumption, string>;
      tookMs += more;
      if (proof !== 'none' || demand === 'optional') return { proof, tookMs };
    }
    return waits || demand === 'required' ? undefined : { proof: 'none', tookMs };
  }

  #wait(record: TakeoverRecord): void {
    const { inform, tell, confirmAfterMs, fleet } = this.#options;
    const { name } = record.node;
    const { drivers } = record.policy;
    this.#note(name, { state: 'waits' });
    const fence = { startedAt: '', epoch: record.epoch, detail: 'waits' };
    this.#save({ ...record, steps: { ...record.steps, fence } });
    inform({ kind: 'work', node: name, state: 'waits' });
    tell({ kind: 'asks', node: name, drivers });
    if (confirmAfterMs === undefined || !drivers.some((driver) => this.#asksHuman(driver))) return;
    this.#after(confirmAfterMs, () => {
      fleet.change(name, (node) => ({
        ...node,
        metadata: {
          ...node.metadata,
          annotations: { ...node.metadata.annotations, [confirmedDeadAnnotation]: record.deathId },
        },
      }));
      tell({ kind: 'confirmed', node: name });
      this.#note(name, { state: 'under-way' });
      inform({ kind: 'work', node: name, state: 'works' });
      this.#fenced(record, { proof: 'confirmed-by-human', tookMs: typicalMs.fence });
    });
  }

  #asksHuman(driver: string): boolean {
    return (this.#options.fencers[driver] ?? 'waits-for-human') === 'waits-for-human';
  }

  #isConfirmed({ node }: TakeoverRecord): boolean {
    return this.#options.world().ledger.nodes.get(node.name)?.state.proof !== undefined;
  }

  #fenced(record: TakeoverRecord, { proof, tookMs }: Fenced): void {
    const fenced = { ...record, proof };
    this.#harm(record, tookMs, () => {
      this.#save(fenced);
      this.#harm(fenced, typicalMs.recheckAndRelease, () => this.#release(fenced));
    });
  }

  #release(record: TakeoverRecord): void {
    const { evacuation, tell, now } = this.#options;
    const { name } = record.node;
    const left = evacuation.empty(name, (other) => this.#isTrap(other));
    this.#note(name, { releasedAt: now(), left });
    const going = left.pods.filter(({ fate }) => fate !== 'kept' && fate !== 'kept-at-a-price');
    const stuck = going.filter(({ finalizers }) => finalizers !== undefined).length;
    tell({ kind: 'released', node: name, pods: going.length - stuck, ...(stuck > 0 && { stuck }) });
    const stays = record.policy.node === 'keep' || going.length < left.pods.length;
    const removeMs = (stuck > 0 ? typicalMs.giveUp : 0) + typicalMs.remove;
    this.#harm(record, removeMs, () => this.#remove(record, stays, left));
  }

  /** Whether the scheduler would still put a pod on a node: only Kubernetes' own word and our taint keep it off. */
  #isTrap(name: string): boolean {
    const known = this.#options.world().ledger.nodes.get(name);
    return known?.state.ready === 'True' && !this.#takeovers.has(name);
  }

  #remove(record: TakeoverRecord, stays: boolean, left?: LeavingPods): void {
    const { fleet, tell } = this.#options;
    const { name } = record.node;
    const result = left?.pods.some(isMissed) ? 'incomplete' : 'recovered';
    tell({ kind: stays ? 'kept' : 'removed', node: name });
    this.#note(name, { state: 'over' });
    this.#end(record, result);
    if (stays) fleet.change(name, (node) => withTakeoverTaint(node, record.id));
    else fleet.remove(name);
    this.#after(typicalMs.ready, () => tell({ kind: 'over', node: name, result }));
  }

  #end(record: TakeoverRecord, result: 'recovered' | 'incomplete' | 'undone'): void {
    this.#save({ ...record, result, closedAt: '' });
    this.#options.inform({ kind: 'work', node: record.node.name, state: 'over' });
  }

  #note(name: string, change: Partial<SimulatedTakeover>): void {
    const known = this.#takeovers.get(name);
    if (known !== undefined) this.#takeovers.set(name, { ...known, ...change });
  }

  #save(record: TakeoverRecord): void {
    this.#records.set(record.id, record);
    const resourceVersion = String(++this.#version);
    this.#options.inform({ kind: 'record', stored: { record, resourceVersion, annotations: {} } });
  }

  /** Once the time has come, and as soon as a leader sees: blindness is a brake, and without a leader nobody goes on. */
  #after(ms: number, act: () => void, mayAct: () => boolean = () => true): void {
    this.#pending++;
    const { schedule, now, world } = this.#options;
    const attempt = (): void => {
      const { term, blind } = world();
      if (term === undefined || blind.length > 0 || !mayAct()) {
        schedule.at(now() + lookAgainMs, attempt);
        return;
      }
      this.#pending--;
      act();
    };
    schedule.at(now() + ms, attempt);
  }

  /** Brakes are asked before, as of every takeover that has begun, and after, since that is when it is done. */
  #harm(record: TakeoverRecord, ms: number, act: () => void): void {
    const isFree = (): boolean => !this.#brakes.hold(record);
    this.#after(0, () => this.#after(ms, act, isFree), isFree);
  }

  /** Times in it are for people, and nobody reads this one. */
  #recordOf(node: KnownNode<Policy>, decision: Decision): TakeoverRecord | undefined {
    const { term } = this.#options.world();
    if (term === undefined) return undefined;
    const { deathId } = node;
    const { epoch, records } = term;
    const id = openTakeoverId(records, deathId) ?? deathId;
    return openingRecord(node, decision, {
      id,
      epoch,
      order: { epoch, number: this.#takeovers.size },
      openedAt: '',
    });
  }
}

/** A StatefulSet waits for it in vain. */
function isMissed({ fate, controller }: LeavingPods['pods'][number]): boolean {
  return (fate === 'nowhere' || fate === 'stuck') && controller?.kind === 'StatefulSet';
}

function withTakeoverTaint(node: KnownNode['node'], id: string): KnownNode['node'] {
  return { ...node, spec: { ...node.spec, taints: withTaints(node.spec?.taints, [takeoverTaint(id)]) } };
}
