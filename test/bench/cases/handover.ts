// The leader is taken away in the middle of a takeover: how long until another one leads, and until it has finished what was begun.
import { MeasuredAgent } from '../agent/agent.ts';
import { type Session, sleep, until } from '../session.ts';
import { StandIn } from '../stand-in/stand-in.ts';

export const handoverSignals = ['SIGTERM', 'SIGKILL', 'SIGSTOP'] as const;

type HandoverSignal = (typeof handoverSignals)[number];

export interface HandoverOptions {
  readonly signals: readonly HandoverSignal[];
  /** How often each. */
  readonly trials: number;
}

const nodes = 24;
const replicas = 3;
const policy = {
  name: 'open',
  nodes: { all: true },
  budget: { maxDead: 1_000, maxDeadPercent: 100 },
  fencing: { ladder: [{ fencer: 'none' }], proof: 'optional' },
};
const readyLimitMs = 120_000;
const takeoverLimitMs = 180_000;

export async function handover(session: Session, { signals, trials }: HandoverOptions): Promise<void> {
  for (const signal of signals) {
    const toLeader: number[] = [];
    const toClosed: number[] = [];
    for (let trial = 1; trial <= trials; trial++) {
      session.say(`handover: ${signal}, ${trial} of ${trials}`);
      const found = await tryOnce(session, signal);
      toLeader.push(found.leaderMs);
      toClosed.push(found.closedMs);
    }
    session.findings.add({ case: signal, figure: 'signalToLeader', unit: 'ms' }, toLeader);
    session.findings.add({ case: signal, figure: 'signalToClosed', unit: 'ms' }, toClosed);
  }
}

async function tryOnce(
  session: Session,
  signal: HandoverSignal,
): Promise<{ readonly leaderMs: number; readonly closedMs: number }> {
  await using standIn = await StandIn.start(['--nodes', String(nodes)]);
  await using crew = new AsyncDisposableStack();
  const agents = Array.from({ length: replicas }, (_, at) =>
    crew.use(
      MeasuredAgent.start({
        kubeconfig: standIn.address.kubeconfig,
        identity: `bench-${at + 1}`,
        config: { policies: [policy] },
      }),
    ),
  );
  await Promise.all(agents.map((agent) => agent.ready(performance.now(), readyLimitMs)));
  await untilHeard(session, standIn);
  // Another moment of the renewals in each trial.
  await sleep(Math.random() * 5_000, session.signal);
  const { holder } = await standIn.election();
  const leader = agents.find(({ identity }) => identity === holder);
  if (leader === undefined) throw new Error(`expected one of the agents to lead, found "${holder}"`);
  const others = agents.filter((agent) => agent !== leader);
  await standIn.kill(1);
  await leader.process.waitFor(
    ({ event, ...fields }) =>
      event === 'takeover' && fields['step'] === 'release' && String(fields['detail']).includes('evict'),
    takeoverLimitMs,
  );
  const sentAt = Date.now();
  leader.process.signal(signal);
  const first = async (what: (fields: Record<string, unknown>) => boolean): Promise<number> => {
    const { time } = await Promise.any(others.map(({ process }) => process.waitFor(what, takeoverLimitMs)));
    return Date.parse(time) - sentAt;
  };
  const leaderMs = await first(({ event, leading }) => event === 'leadership' && leading === true);
  const closedMs = await first(
    ({ event, step, phase }) => event === 'takeover' && step === 'close' && phase === 'done',
  );
  return { leaderMs, closedMs };
}

/** By each replica. */
async function untilHeard(session: Session, standIn: StandIn): Promise<void> {
  const heard = async (): Promise<true | undefined> =>
    (await standIn.asked(replicas)) >= nodes ? true : undefined;
  const found = await until(heard, { limitMs: readyLimitMs, everyMs: 500, signal: session.signal });
  if (found === undefined) throw new Error('expected every replica to hear every host');
}
