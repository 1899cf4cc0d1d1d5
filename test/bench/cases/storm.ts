// Many nodes die in one moment: how fast all of them are recovered where no budget holds, and what it costs where one does.
import { MeasuredAgent } from '../agent/agent.ts';
import { type Session, sleep, until } from '../session.ts';
import { StandIn } from '../stand-in/stand-in.ts';
import { between, type Timeline, timelinesOf } from './timeline.ts';

export interface StormCase {
  readonly nodes: number;
  readonly dead: number;
  /** By the budget, rather than taken over. */
  readonly held: boolean;
}

export interface StormOptions {
  readonly cases: readonly StormCase[];
  /** When to give up waiting for all of them. */
  readonly limitSeconds: number;
  /** For how long those that are held are looked at. */
  readonly heldSeconds: number;
}

export function nameOf({ nodes, dead, held }: StormCase): string {
  return `${held ? 'held-' : ''}${dead}-of-${nodes}`;
}

/** Undefined for a text that names no such case. */
export function stormCaseNamed(text: string): StormCase | undefined {
  const [, held, dead, nodes] = /^(held-)?(\d{1,5})-of-(\d{1,5})$/.exec(text) ?? [];
  if (dead === undefined || nodes === undefined) return undefined;
  const found = { dead: Number(dead), nodes: Number(nodes), held: held !== undefined };
  return found.dead > 0 && found.dead < found.nodes ? found : undefined;
}

/** Nothing holds a takeover but what is known of the node. */
const open = {
  name: 'open',
  nodes: { all: true },
  budget: { maxDead: 100_000, maxDeadPercent: 100 },
  fencing: { ladder: [{ fencer: 'none' }], proof: 'optional' },
};

/** Everything as it is by default: two may be dead. */
const stock = { name: 'stock', nodes: { all: true } };

const readyLimitMs = 120_000;
/** Twice as long as it takes today, at 8 hosts in 2 s. */
const heardLimitMsPerNode = 500;
/** By then every death is known and told, and every Node has turned Unknown. */
const settleMs = 120_000;
const windowMs = 10_000;

export async function storm(session: Session, options: StormOptions): Promise<void> {
  for (const one of options.cases) {
    session.say(`storm: ${nameOf(one)}`);
    await (one.held ? hold(session, one, options) : recover(session, one, options));
  }
}

async function recover(session: Session, one: StormCase, { limitSeconds }: StormOptions): Promise<void> {
  const { findings, signal } = session;
  const name = nameOf(one);
  await using standIn = await StandIn.start(['--nodes', String(one.nodes)]);
  await using crew = new Crew(standIn, open);
  const agent = crew.start();
  const startedAt = performance.now();
  await agent.ready(startedAt, readyLimitMs);
  const heardMs = await untilEveryHostIsHeard(session, standIn, one.nodes);
  if (heardMs !== undefined) {
    findings.add({ case: `agent-${one.nodes}`, figure: 'heardEveryHostMs', unit: 'ms' }, [heardMs]);
  }
  await sleep(5_000, signal);
  const { transitions } = await standIn.election();
  await standIn.reset();
  const killed = new Set(await standIn.kill(one.dead));
  const cpuBefore = agent.cpuMs;
  const diedAt = performance.now();
  agent.watchStalls();
  await until(() => (crew.timelines().filter(isRecovered).length === killed.size ? true : undefined), {
    limitMs: limitSeconds * 1_000,
    everyMs: 500,
    signal,
  });
  if (agent.process.alive) {
    findings.add({ case: name, figure: 'stallMs', unit: 'ms' }, [await agent.longestStall()]);
    const cpuPercent = ((agent.cpuMs - cpuBefore) / (performance.now() - diedAt)) * 100;
    findings.add({ case: name, figure: 'cpuPercent', unit: '%' }, [cpuPercent]);
  }
  const timelines = crew.timelines();
  const recovered = timelines.filter(isRecovered);
  const add = (figure: string, unit: string, samples: readonly number[]): void =>
    findings.add({ case: name, figure, unit }, samples);
  add('recovered', 'nodes', [recovered.length]);
  add('leaderChanges', 'changes', [(await standIn.election()).transitions - transitions]);
  add('agentsEnded', 'agents', [crew.ended]);
  add(
    'decisionToClosed',
    'ms',
    recovered.flatMap(({ decidedAt, closedAt }) => between(decidedAt, closedAt)),
  );
  const deaths = await standIn.deaths();
  const bornDead = new Map(deaths.map((death) => [death.node, death]));
  add(
    'deathToClosed',
    'ms',
    recovered.flatMap(({ node, closedAt }) => between(bornDead.get(node)?.diedAt, closedAt)),
  );
  add(
    'deathToReady',
    'ms',
    deaths.flatMap(({ diedAt, pods }) => Object.values(pods).flatMap((readyAt) => between(diedAt, readyAt))),
  );
  add(
    'knownToFirstWrite',
    'ms',
    timelines.flatMap(({ node, deadAt }) => between(deadAt, bornDead.get(node)?.claimedAt)),
  );
  const decided = timelines.flatMap(({ decidedAt }) => decidedAt ?? []);
  const closed = recovered.flatMap(({ closedAt }) => closedAt ?? []);
  const spanMs = Math.max(...closed) - Math.min(...decided);
  if (closed.length > 1 && spanMs > 0) add('perSecond', '1/s', [(closed.length / spanMs) * 1_000]);
  const { clients } = await standIn.figures();
  const requests = Object.entries(clients)
    .filter(([userAgent]) => userAgent.includes('bench-') && !userAgent.includes('lease'))
    .flatMap(([, { requests: counts }]) => Object.entries(counts))
    .filter(([what]) => !what.startsWith('watch ') && what !== 'post accessReview')
    .reduce((sum, [, count]) => sum + count, 0);
  if (recovered.length > 0) add('requestsPerTakeover', 'requests', [requests / recovered.length]);
}

async function hold(session: Session, one: StormCase, { heldSeconds }: StormOptions): Promise<void> {
  const { findings, signal } = session;
  const name = nameOf(one);
  await using standIn = await StandIn.start(['--nodes', String(one.nodes)]);
  await using crew = new Crew(standIn, stock);
  await crew.start().ready(performance.now(), readyLimitMs);
  await sleep(30_000, signal);
  const idle = await windowsOf(session, crew, 60, cpuOf);
  findings.add({ case: name, figure: 'idleCpuPercent', unit: '%' }, idle);
  const { transitions } = await standIn.election();
  await standIn.kill(one.dead);
  await sleep(settleMs, signal);
  const held = await windowsOf(session, crew, heldSeconds / 2, cpuOf);
  findings.add({ case: name, figure: 'cpuPercent', unit: '%' }, held);
  const stalls = await windowsOf(session, crew, heldSeconds / 2, stallOf);
  findings.add({ case: name, figure: 'stallMs', unit: 'ms' }, stalls);
  findings.add({ case: name, figure: 'rssMiB', unit: 'MiB' }, [crew.newest().rssMiB]);
  const changes = (await standIn.election()).transitions - transitions;
  findings.add({ case: name, figure: 'leaderChanges', unit: 'changes' }, [changes]);
  findings.add({ case: name, figure: 'agentsEnded', unit: 'agents' }, [crew.ended]);
}

type Measure = (agent: MeasuredAgent, signal: AbortSignal) => Promise<number>;

const cpuOf: Measure = async (agent, signal) => {
  const before = agent.cpuMs;
  const startedAt = performance.now();
  await sleep(windowMs, signal);
  return ((agent.cpuMs - before) / (performance.now() - startedAt)) * 100;
};

const stallOf: Measure = async (agent, signal) => {
  agent.watchStalls();
  await sleep(windowMs, signal);
  return agent.longestStall();
};

/** One figure in each window; a window in which the agent ended has none, and the end itself is counted. */
async function windowsOf(
  { signal, say }: Session,
  crew: Crew,
  seconds: number,
  measure: Measure,
): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let at = 0; at < Math.max(1, (seconds * 1_000) / windowMs); at++) {
    const agent = crew.newest();
    try {
      samples.push(await measure(agent, signal));
    } catch (error) {
      signal.throwIfAborted();
      if (agent.process.alive) throw error;
      say(String(error));
      await sleep(windowMs, signal);
    }
  }
  return samples;
}

async function untilEveryHostIsHeard(
  session: Session,
  standIn: StandIn,
  nodes: number,
): Promise<number | undefined> {
  const startedAt = performance.now();
  const limitMs = 60_000 + nodes * heardLimitMsPerNode;
  const heard = async (): Promise<number | undefined> => {
    return (await standIn.asked()) >= nodes ? performance.now() - startedAt : undefined;
  };
  return until(heard, { limitMs, everyMs: 1_000, signal: session.signal });
}

/** The agents of one case, one at a time: as a kubelet would, a new one is started when one ends. */
class Crew implements AsyncDisposable {
  readonly #standIn: StandIn;
  readonly #policy: object;
  readonly #agents: MeasuredAgent[] = [];
  /** How many ended by themselves: a leader that lost its Lease does. */
  ended = 0;
  #done = false;

  constructor(standIn: StandIn, policy: object) {
    this.#standIn = standIn;
    this.#policy = policy;
  }

  start(): MeasuredAgent {
    const agent = MeasuredAgent.start({
      kubeconfig: this.#standIn.address.kubeconfig,
      identity: `bench-${this.#agents.length + 1}`,
      config: { policies: [this.#policy] },
    });
    this.#agents.push(agent);
    void agent.process.exit.then(() => {
      if (this.#done) return;
      this.ended += 1;
      this.start();
    });
    return agent;
  }

  newest(): MeasuredAgent {
    const agent = this.#agents.at(-1);
    if (agent === undefined) throw new Error('expected an agent, found none: start one first');
    return agent;
  }

  timelines(): readonly Timeline[] {
    return timelinesOf(this.#agents.flatMap(({ process }) => process.entries));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#done = true;
    await Promise.all(this.#agents.map((agent) => agent[Symbol.asyncDispose]()));
  }
}

function isRecovered({ result }: Timeline): boolean {
  return result === 'recovered';
}
