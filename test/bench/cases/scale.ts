// What an agent costs that watches a fleet in which nothing happens, beside a program that lists all nodes every five seconds.
import { MeasuredAgent } from '../agent/agent.ts';
import { startPolling } from '../polling/polling.ts';
import { cpuMsOf, rssMiBOf } from '../proc.ts';
import { ratios } from '../rows.ts';
import { type Session, sleep } from '../session.ts';
import { StandIn } from '../stand-in/stand-in.ts';

export interface ScaleOptions {
  /** Sizes of fleets, one after the other. */
  readonly nodes: readonly number[];
  /** How long each of the two is measured. */
  readonly seconds: number;
  /** How long each is left alone before that: until its start's garbage is gone, and what is used is compiled. */
  readonly warmUpSeconds: number;
  /** How often each is started to see how long it takes. */
  readonly starts: number;
}

/** Polling works in bursts: a window has to have several of them. */
const longestWindowMs = 20_000;
const readyLimitMs = 120_000;

/** Measured once in each window. */
interface Samples {
  readonly readyMs: number[];
  readonly cpuPercent: number[];
  readonly rssMiB: number[];
  readonly megabytesPerMinute: number[];
  readonly requestsPerMinute: number[];
  readonly stallMs: number[];
}

export async function scale(session: Session, options: ScaleOptions): Promise<void> {
  for (const nodes of options.nodes) {
    session.say(`scale: ${nodes} nodes`);
    MeasuredAgent.prepare();
    await using standIn = await StandIn.start(['--nodes', String(nodes)]);
    const agent = await measureAgent(session, standIn, options);
    const polling = await measurePolling(session, standIn, options);
    note(session, `agent-${nodes}`, agent);
    note(session, `polling-${nodes}`, polling);
    for (const figure of ['cpuPercent', 'megabytesPerMinute', 'rssMiB'] as const) {
      const where = { case: `polling-to-agent-${nodes}`, figure, unit: 'ratio' };
      session.findings.add(where, ratios(polling[figure], agent[figure]));
    }
  }
}

function note({ findings }: Session, name: string, samples: Samples): void {
  const units = {
    readyMs: 'ms',
    cpuPercent: '%',
    rssMiB: 'MiB',
    megabytesPerMinute: 'MB/min',
    requestsPerMinute: '1/min',
    stallMs: 'ms',
  };
  for (const [figure, unit] of Object.entries(units)) {
    findings.add({ case: name, figure, unit }, samples[figure as keyof Samples]);
  }
}

function noSamples(): Samples {
  return {
    readyMs: [],
    cpuPercent: [],
    rssMiB: [],
    megabytesPerMinute: [],
    requestsPerMinute: [],
    stallMs: [],
  };
}

async function measureAgent(session: Session, standIn: StandIn, options: ScaleOptions): Promise<Samples> {
  const samples = noSamples();
  for (let start = 1; ; start++) {
    const startedAt = performance.now();
    const agent = MeasuredAgent.start({
      kubeconfig: standIn.address.kubeconfig,
      identity: `bench-${start}`,
      config: { policies: [{ name: 'all', nodes: { all: true } }] },
    });
    await using _ = agent;
    samples.readyMs.push(await agent.ready(startedAt, readyLimitMs));
    if (start < options.starts) {
      // It hands the Lease over, so that the next one need not wait for its end.
      await agent.process.kill('SIGTERM');
      continue;
    }
    await agent.process.waitFor(
      ({ event, ...fields }) => event === 'leadership' && fields['leading'] === true,
    );
    await sleep(options.warmUpSeconds * 1_000, session.signal);
    const client = agent.identity;
    await measureWindows(session, standIn, { process: agent, client, seconds: options.seconds }, samples);
    // In a time of its own, since the watching costs something too.
    const { count, windowMs } = windowsIn(options.seconds);
    for (let at = 0; at < count; at++) {
      agent.watchStalls();
      await sleep(windowMs, session.signal);
      samples.stallMs.push(await agent.longestStall());
    }
    return samples;
  }
}

async function measurePolling(session: Session, standIn: StandIn, options: ScaleOptions): Promise<Samples> {
  const samples = noSamples();
  for (let start = 1; ; start++) {
    const startedAt = performance.now();
    await using polling = startPolling(standIn.address.kubeconfig);
    await polling.waitFor(({ event }) => event === 'ready', readyLimitMs);
    samples.readyMs.push(performance.now() - startedAt);
    if (start < options.starts) continue;
    await sleep(options.warmUpSeconds * 1_000, session.signal);
    const process = {
      get cpuMs(): number {
        return cpuMsOf(polling.pid);
      },
      get rssMiB(): number {
        return rssMiBOf(polling.pid);
      },
    };
    await measureWindows(session, standIn, { process, client: 'polling', seconds: options.seconds }, samples);
    return samples;
  }
}

function windowsIn(seconds: number): { readonly count: number; readonly windowMs: number } {
  const count = Math.max(1, Math.round((seconds * 1_000) / longestWindowMs));
  return { count, windowMs: (seconds * 1_000) / count };
}

async function measureWindows(
  session: Session,
  standIn: StandIn,
  what: {
    readonly process: { readonly cpuMs: number; readonly rssMiB: number };
    readonly client: string;
    readonly seconds: number;
  },
  samples: Samples,
): Promise<void> {
  const { count, windowMs } = windowsIn(what.seconds);
  for (let at = 0; at < count; at++) {
    await standIn.reset();
    const startedAt = performance.now();
    const before = what.process.cpuMs;
    await sleep(windowMs, session.signal);
    const tookMs = performance.now() - startedAt;
    samples.cpuPercent.push(((what.process.cpuMs - before) / tookMs) * 100);
    samples.rssMiB.push(what.process.rssMiB);
    const { bytes, requests, forMs } = await trafficOf(standIn, what.client);
    samples.megabytesPerMinute.push((bytes / 1e6 / forMs) * 60_000);
    samples.requestsPerMinute.push((requests / forMs) * 60_000);
  }
}

/** All connections of one client: an agent has several, each with its identity in the user agent. */
async function trafficOf(
  standIn: StandIn,
  client: string,
): Promise<{ readonly bytes: number; readonly requests: number; readonly forMs: number }> {
  const { clients, forMs } = await standIn.figures();
  const its = Object.entries(clients).filter(([userAgent]) => userAgent.includes(client));
  return {
    bytes: its.reduce((sum, [, { bytesIn, bytesOut }]) => sum + bytesIn + bytesOut, 0),
    requests: its.reduce(
      (sum, [, { requests }]) => sum + Object.values(requests).reduce((a, b) => a + b, 0),
      0,
    ),
    forMs,
  };
}
