// Plays a story from its first moment to its end, and kills leaders at the writes that it is told.
import { type Node, type TakeoverRecord, takeoverSteps } from '@liberator/core';
import {
  type ApiRequest,
  type ApiResponse,
  type AuditEvent,
  type Machine,
  NoAnswer,
  resources,
} from '@liberator/simulator';
import { allInvariants } from '../chaos/invariants/all-invariants.ts';
import { World } from '../chaos/world/world.ts';
import { destructive, type Write } from '../chaos/world/writes.ts';
import { peoplesLabel, type Story, scenarioOf } from './story.ts';

/** Where a leader dies: as its write of that number leaves, or once it is applied and before the answer arrives. */
export interface Death {
  readonly write: number;
  readonly moment: 'before' | 'after';
}

export interface SeenWrite {
  readonly by: string;
  readonly kind: Write['kind'];
  readonly chapter: 'takeover' | 'return';
  /** In words. */
  readonly what: string;
}

/** All that can be said of a performance when it is over. */
export interface Performance {
  readonly story: Story;
  /** Name and uid of the Node that died. */
  readonly dead: { readonly name: string; readonly uid: string };
  /** Every write of every replica from the death of the node on, in order, but for the election's. */
  readonly writes: readonly SeenWrite[];
  /** The replicas that died, in order. */
  readonly died: readonly string[];
  readonly violation: string | undefined;
  /** What did not come about in time; undefined when all did. */
  readonly stuck: string | undefined;
  readonly records: readonly TakeoverRecord[];
  readonly nodes: readonly Node[];
  /** Where each pod of the StatefulSets is Ready, by name. */
  readonly pods: ReadonlyMap<string, string | undefined>;
  /** Deletions that replicas asked for and the server carried out. */
  readonly deletions: readonly AuditEvent[];
  /** How often a Node that didn't bear it got the out-of-service taint. */
  readonly marks: number;
  /** Destructive writes that were applied while the machine had power. */
  readonly harmToTheLiving: readonly string[];
  readonly fencing: {
    readonly asked: number;
    /** Leaders that died with the fencer asked and its answer not yet on record: each is followed by one more call. */
    readonly answersLost: number;
  };
  /** Reasons of the Events about the node, in the order in which they came. */
  readonly events: readonly string[];
  readonly trace: readonly string[];
}

/** Long enough for a leader to be missed, for two of them, and for a pod to become Ready elsewhere. */
const patienceMs = 5 * 60_000;

/** For what is still under way when the story's end is reached. */
const aftermathMs = 3_000;

export async function perform(story: Story, deaths: readonly Death[] = []): Promise<Performance> {
  await using world = await World.make(scenarioOf(story), allInvariants, {
    parts: (parts) => ({ ...parts, returning: { dwellMs: 15_000 } }),
  });
  const director = new Director(world, story, deaths);
  const stuck = await director.play();
  return director.told(stuck);
}

/** What happens next, and what is waited for then. */
interface Act {
  readonly act: () => void;
  readonly brings: string;
  readonly reached: () => boolean;
}

class Director {
  readonly #world: World;
  readonly #story: Story;
  readonly #deaths: readonly Death[];
  readonly #writes: SeenWrite[] = [];
  readonly #died: string[] = [];
  readonly #harm: string[] = [];
  #dead = { name: '', uid: '' };
  #chapter: SeenWrite['chapter'] = 'takeover';
  #marks = 0;
  #askedBefore = 0;
  #answersLost = 0;

  constructor(world: World, story: Story, deaths: readonly Death[]) {
    this.#world = world;
    this.#story = story;
    this.#deaths = deaths;
  }

  /** Returns what did not come about in time. */
  async play(): Promise<string | undefined> {
    const { replicas, clock } = this.#world;
    for (const [at, replica] of replicas.entries()) clock.setTimeout(() => replica.start(), 1_000 + at * 700);
    for (const { act, brings, reached } of this.#acts()) {
      act();
      if (!(await this.#until(reached))) return brings;
    }
    await this.#world.run(clock.now() + aftermathMs);
    return undefined;
  }

  told(stuck: string | undefined): Performance {
    const { truth, violation, simulator, trace, powerSwitch, scenario } = this.#world;
    const replicas = scenario.replicas.map(({ name }) => name);
    return {
      story: this.#story,
      dead: this.#dead,
      writes: this.#writes,
      died: this.#died,
      violation: violation && `${violation.invariant}: ${violation.found}`,
      stuck,
      records: truth.records,
      nodes: truth.nodes,
      pods: new Map(this.#podNames().map((name) => [name, this.#readyOn(name)])),
      deletions: simulator
        .audit()
        .filter(({ user, verb, code }) => replicas.includes(user) && verb === 'delete' && code < 300),
      marks: this.#marks,
      harmToTheLiving: this.#harm,
      fencing: { asked: powerSwitch.asked, answersLost: this.#answersLost },
      events: eventReasons(this.#world, this.#dead.name),
      trace: trace.lines,
    };
  }

  /** Whatever replicas write from now on is counted, and some of them die of it. */
  #loseNode(lose: (machine: Machine) => void): void {
    const { truth, simulator, front } = this.#world;
    const name = this.#readyOn('database-0') ?? '';
    this.#dead = { name, uid: truth.node(name)?.metadata.uid ?? '' };
    front.guard((request, write, serve) => this.#atTheDoor(request, write, serve));
    lose(simulator.machine(name));
  }

  #acts(): readonly Act[] {
    const { powerSwitch } = this.#world;
    const machine = (): Machine => this.#world.simulator.machine(this.#dead.name);
    const opening: Act = {
      act: () => undefined,
      brings: 'a cluster that works and is led',
      reached: () => this.#isUp(),
    };
    const takeover = (lose: (machine: Machine) => void): Act => ({
      act: () => this.#loseNode(lose),
      brings: 'a finished takeover, and all pods elsewhere',
      reached: () => this.#isTakenOver(),
    });
    const welcome = (act: () => void): Act => ({
      act: () => {
        this.#chapter = 'return';
        act();
      },
      brings: 'a node that is trusted again',
      reached: () => this.#record()?.return?.welcomed === true,
    });
    const crash = takeover((one) => one.crash());
    const cut = takeover((one) => one.cut());
    switch (this.#story.fate) {
      case 'stays-off':
        return [opening, crash];
      case 'boots':
        return [opening, crash, welcome(() => machine().powerOn())];
      case 'was-cut-off': {
        const reconnect = welcome(() => {
          machine().stopKubelet();
          machine().heal();
          machine().startKubelet();
        });
        const isTold = (): boolean => eventReasons(this.#world, this.#dead.name).includes('NodeQuarantined');
        const quarantine = { ...reconnect, brings: 'a node in quarantine', reached: isTold };
        return [opening, cut, quarantine, welcome(() => machine().reboot())];
      }
      case 'comes-back': {
        powerSwitch.become('slow');
        const isWaiting = (): boolean => this.#record()?.steps.fence?.detail !== undefined;
        const wait = { ...cut, brings: 'a takeover that waits for its fencer', reached: isWaiting };
        const heal = welcome(() => machine().heal());
        const isUndone = (): boolean => this.#record()?.result === 'undone';
        return [opening, wait, { ...heal, brings: 'a takeover that is undone', reached: isUndone }];
      }
    }
  }

  async #until(reached: () => boolean): Promise<boolean> {
    const { clock } = this.#world;
    const untilMs = clock.now() + patienceMs;
    let found = false;
    let lookAt = 0;
    await this.#world.run(untilMs, () => {
      if (clock.now() < lookAt) return false;
      lookAt = clock.now() + 500;
      found = reached();
      return found;
    });
    return found;
  }

  #isUp(): boolean {
    const { replicas, simulator, truth } = this.#world;
    // For a while, so that every replica has heard of every node more than once.
    if (this.#world.clock.now() < 15_000 || !simulator.nodesReady()) return false;
    if (!replicas.some(({ leading }) => leading !== undefined)) return false;
    if (this.#podNames().some((name) => this.#readyOn(name) === undefined)) return false;
    for (const { metadata } of truth.nodes) {
      simulator.store.modify<Node & { metadata: { labels?: Record<string, string> } }>(
        resources.nodes,
        undefined,
        metadata.name,
        (node) => {
          node.metadata.labels = { ...node.metadata.labels, [peoplesLabel]: 'r7' };
          return true;
        },
        { user: 'human' },
      );
    }
    return true;
  }

  #isTakenOver(): boolean {
    if (this.#record()?.result === undefined) return false;
    const nodes = this.#podNames().map((name) => this.#readyOn(name));
    return nodes.every((node) => node !== undefined && node !== this.#dead.name);
  }

  async #atTheDoor(
    request: ApiRequest,
    write: Write,
    serve: () => Promise<ApiResponse>,
  ): Promise<ApiResponse> {
    const { truth, simulator, scenario } = this.#world;
    const { user } = request;
    const { kind, name } = write;
    if (kind === 'election' || !scenario.replicas.some((replica) => replica.name === user)) return serve();
    const death = this.#deaths.find((one) => one.write === this.#writes.length);
    this.#writes.push({ by: user, chapter: this.#chapter, kind, what: wordsFor(request, write) });
    if (death?.moment === 'before') return this.#die(user, { sent: false });

    const marked = truth.isOutOfService(this.#dead.name);
    const alive = simulator.machine(this.#dead.name).isAlive();
    const response = await serve();
    const again = kind === 'mark-out-of-service' && marked;
    if (response.status < 300 && destructive.has(kind) && !again) {
      if (alive) this.#harm.push(`${kind} ${name} by ${user}`);
      if (kind === 'mark-out-of-service') this.#marks++;
    }
    return death === undefined ? response : this.#die(user, { sent: true });
  }

  /** The process is gone before anything in it can notice how its write ended. */
  #die(user: string, { sent }: { sent: boolean }): never {
    const { powerSwitch } = this.#world;
    // Of two writes that it had under way at once, it can only die of one.
    if (!this.#died.includes(user)) this.#died.push(user);
    const asked = powerSwitch.asked - this.#askedBefore;
    this.#askedBefore = powerSwitch.asked;
    if (asked > 0 && this.#record()?.steps.fence?.outcome === undefined) this.#answersLost++;
    this.#world.note('death', `of ${user}, ${sent ? 'after' : 'before'} write ${this.#writes.length - 1}`);
    this.#world.replica(user).kill();
    throw new NoAnswer('the sender is gone', { sent });
  }

  #record(): TakeoverRecord | undefined {
    return this.#world.truth.records.find(({ node }) => node.uid === this.#dead.uid);
  }

  #podNames(): readonly string[] {
    return this.#world.scenario.sets.flatMap(({ name, replicas }) =>
      Array.from({ length: replicas }, (_, ordinal) => `${name}-${ordinal}`),
    );
  }

  #readyOn(name: string): string | undefined {
    const pod = this.#world.truth.pod('default', name);
    const ready = pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    return ready && pod?.metadata.deletionTimestamp === undefined ? pod?.spec?.nodeName : undefined;
  }
}

/** Says of a write what a leader that dies of it was about to do. */
function wordsFor({ body = '{}' }: ApiRequest, { kind, name }: Write): string {
  const sent: { reason?: string; data?: Record<string, string> } = JSON.parse(body);
  if (kind === 'event') return `Event ${sent.reason}`;
  if (kind !== 'record') return `${kind} ${name}`;
  const record: TakeoverRecord | undefined = sent.data && JSON.parse(sent.data['record.json'] ?? '');
  if (record === undefined) return 'record: deleted';
  if (record.return !== undefined) {
    const { welcomed, quarantined } = record.return;
    return `record: ${welcomed ? 'welcomed' : quarantined ? 'quarantined' : 'restored'}`;
  }
  if (record.result !== undefined) return `record: closed, ${record.result}`;
  if (record.undoing !== undefined) return 'record: to be undone';
  // One write has the end of a step and the beginning of the next.
  const told = takeoverSteps.flatMap((step) => {
    const { outcome, detail } = record.steps[step] ?? {};
    if (record.steps[step] === undefined) return [];
    return [`${step} ${outcome ?? (detail === undefined ? 'begun' : 'waiting')}`];
  });
  return `record: ${told.slice(-2).join(', ')}`;
}

function eventReasons({ simulator }: World, node: string): readonly string[] {
  const events = simulator.store.list(resources.events, { namespace: 'default' }) as unknown as readonly {
    readonly reason: string;
    readonly source?: { readonly component?: string };
    readonly involvedObject: { readonly name: string };
  }[];
  return events
    .filter(({ source, involvedObject }) => source?.component === 'liberator' && involvedObject.name === node)
    .map(({ reason }) => reason);
}
