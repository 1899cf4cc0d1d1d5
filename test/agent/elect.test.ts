// `liberator elect` as the container beside it and whoever supervises it meet it, against a simulated API server.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Lease } from '@liberator/core';
import { type AccessAttributes, resources, Simulator, type SimulatorOptions } from '@liberator/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../processes/agent-process.ts';
import { contradictionsIn, LeadershipSampler } from './leadership-samples.ts';
import { openMutableFront } from './mutable-front.ts';
import { leaderOf, Sidecar, type SidecarOptions, type Told, until } from './sidecar.ts';

const ttl = '3s';
/** Two thirds of it. */
const validMs = 2_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'liberator-elect-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function fileOf(text: string): string {
  files += 1;
  const path = join(folder, `${files}.kubeconfig`);
  writeFileSync(path, text);
  return path;
}

const cluster = (options: SimulatorOptions = {}): Promise<Simulator> =>
  Simulator.start({ http: true, nodes: 0, ...options });

function sidecar(id: string, simulator: Simulator, options: Partial<SidecarOptions> = {}): Promise<Sidecar> {
  return Sidecar.start({ id, ttl, kubeconfig: fileOf(simulator.kubeconfig()), ...options });
}

function leaseOf(simulator: Simulator): Lease['spec'] | undefined {
  const lease = simulator.store.find(resources.leases, 'default', 'cart');
  return (lease as unknown as Lease | undefined)?.spec;
}

/** What a stream says, one entry for each event, as long as it lasts. */
function follow({ url }: Sidecar): { readonly events: Told[]; readonly ended: Promise<void> } {
  const events: Told[] = [];
  const listen = async (): Promise<void> => {
    const { body } = await fetch(`${url}/sse`);
    let text = '';
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      for (const part of parts) {
        const data = /^data: (.*)$/m.exec(part)?.[1];
        if (data !== undefined) events.push(JSON.parse(data));
      }
    }
  };
  // However it ends, it has.
  return { events, ended: listen().catch(() => undefined) };
}

// Mostly they wait, so they wait together.
describe.concurrent('liberator elect', () => {
  it('answers who leads, in the words of the classic sidecar and of its successor', async () => {
    await using simulator = await cluster();
    await using a = await sidecar('a', simulator);
    const early = await fetch(a.url);
    expect(early.status).toBe(200);
    expect(early.headers.get('content-type')).toBe('application/json');
    expect(await early.json()).toMatchObject({ name: '', isLeader: false, term: null });
    await a.untilItLeads();
    const told = await a.told();
    expect(told).toEqual({
      name: 'a',
      last_update: expect.any(String),
      isLeader: true,
      term: leaseOf(simulator)?.leaseTransitions,
    });
    // RFC 3339, as its successor writes it.
    expect(told.last_update).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect((await a.page('/leader')).status).toBe(200);
    const metrics = (await a.page('/metrics')).text;
    expect(metrics).toContain('liberator_election_leader{election="default/cart"} 1');
    expect(metrics).toMatch(/liberator_election_transitions_total\{election="default\/cart"\} [1-9]/);
  });

  it('says who leads when it does not itself', async () => {
    await using simulator = await cluster();
    await using a = await sidecar('a', simulator);
    await a.untilItLeads();
    await using b = await sidecar('b', simulator);
    await until('b knows', async () => (await b.told()).name === 'a', [a, b]);
    const { status, text } = await b.page('/leader');
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ name: 'a', isLeader: false });
    expect((await b.page('/readyz')).status).toBe(200);
    expect((await b.page('/healthz')).status).toBe(200);
  });

  it('streams how it stands at once, and then every change', async () => {
    await using simulator = await cluster();
    await using a = await sidecar('a', simulator);
    await a.untilItLeads();
    await using b = await sidecar('b', simulator);
    await until('b knows', async () => (await b.told()).name === 'a', [a, b]);
    const [ofA, ofB] = [follow(a), follow(b)];
    await until('both were told', () => ofA.events.length > 0 && ofB.events.length > 0, [a, b]);
    await a.process.kill('SIGTERM');
    await ofA.ended;
    await until('b leads', () => ofB.events.at(-1)?.isLeader ?? false, [b]);
    expect(ofA.events.at(0)).toMatchObject({ name: 'a', isLeader: true });
    expect(ofA.events.at(-1)).toMatchObject({ name: '', isLeader: false, term: null });
    expect(ofB.events.at(0)).toMatchObject({ name: 'a', isLeader: false });
    expect(ofB.events.at(-1)).toMatchObject({ name: 'b', isLeader: true });
    const told = ofB.events.map((event) => JSON.stringify(event));
    expect(told).toEqual([...new Set(told)]);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'gives the Lease back at %s and ends with 0, and another leads before it would have expired',
    async (signal) => {
      await using simulator = await cluster();
      // Long enough that nobody could take it for the end of a Lease.
      await using a = await sidecar('a', simulator, { ttl: '6s' });
      await using b = await sidecar('b', simulator, { ttl: '6s' });
      const leader = await leaderOf([a, b]);
      const [next] = [a, b].filter((one) => one !== leader);
      using asked = new LeadershipSampler(a);
      using askedToo = new LeadershipSampler(b);
      expect(await leader.process.kill(signal)).toEqual({ code: 0, signal: null });
      const endedAt = performance.now();
      expect(leader.process.stderr).toBe('');
      await next?.untilItLeads();
      expect(performance.now() - endedAt).toBeLessThan(5_000);
      expect(contradictionsIn([...asked.samples, ...askedToo.samples])).toEqual([]);
    },
  );

  it('no longer says that it leads while it gives the Lease back', async () => {
    await using simulator = await cluster();
    await using front = await openMutableFront(simulator.url);
    const kubeconfig = fileOf(simulator.kubeconfig().replace(simulator.url, front.url));
    await using a = await sidecar('a', simulator, { kubeconfig, ttl: '9s' });
    await a.untilItLeads();
    // Nobody takes it back now, so there is time to ask.
    front.mute();
    a.process.signal('SIGTERM');
    await a.process.waitFor(({ event }) => event === 'stopping');
    expect([(await a.page('/leader')).status, leaseOf(simulator)?.holderIdentity]).toEqual([503, 'a']);
    expect(await a.page('/readyz')).toEqual({ status: 503, text: 'failed: stopping\n' });
    expect(await a.process.exit).toEqual({ code: 0, signal: null });
  });

  it('says with its first answer that it was stopped for longer than its term lasts', async () => {
    await using simulator = await cluster();
    await using a = await sidecar('a', simulator);
    using asked = new LeadershipSampler(a);
    for (let round = 0; round < 2; round++) {
      await a.untilItLeads();
      const { term } = await a.told();
      a.process.signal('SIGSTOP');
      await pause(validMs + 300);
      const answersBefore = asked.samples.length;
      a.process.signal('SIGCONT');
      expect((await a.page('/leader')).status).toBe(503);
      await a.untilItLeads();
      const [first, ...more] = asked.samples.slice(answersBefore);
      expect(first?.leads).toBe(false);
      for (const { leads, term: later } of more) {
        if (leads) expect(later).toBeGreaterThan(term ?? Number.POSITIVE_INFINITY);
      }
    }
    expect(contradictionsIn(asked.samples)).toEqual([]);
  });

  it('stops leading in time when the API server is away, lives on, and leads again in a later term', async () => {
    await using simulator = await cluster();
    await using a = await sidecar('a', simulator);
    await a.untilItLeads();
    const before = await a.told();
    const stream = follow(a);
    await simulator.httpServer.stopListening();
    const awaySince = performance.now();
    await until('the stream says so', () => stream.events.at(-1)?.isLeader === false, [a]);
    expect(performance.now() - awaySince).toBeLessThan(validMs + 1_000);
    expect((await a.page('/leader')).status).toBe(503);
    await until('it is not ready', async () => (await a.page('/readyz')).status === 503, [a]);
    expect((await a.page('/healthz')).status).toBe(200);
    await simulator.httpServer.listenAgain();
    await a.untilItLeads();
    expect((await a.told()).term).toBeGreaterThan(before.term ?? Number.POSITIVE_INFINITY);
    expect(a.process.entries).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        msg: 'leadership lost: no renewal succeeded for 2000 ms; standing again',
      }),
    );
  });

  it('says loudly that there is no such namespace, and leads as soon as there is', async () => {
    await using simulator = await cluster();
    await using a = await sidecar('a', simulator, { namespace: 'shop' });
    const { msg } = await a.process.waitFor(({ event }) => event === 'error');
    expect(msg).toMatch(
      /^election: there is no namespace shop, .+ or name another with --election-namespace/,
    );
    expect((await a.page('/readyz')).text).toMatch(/namespaces "shop" not found/);
    simulator.store.create(resources.namespaces, { metadata: { name: 'shop' } }, { user: 'test' });
    await a.untilItLeads();
    expect((await a.page('/readyz')).status).toBe(200);
  });

  it('takes the namespace of the kubeconfig where none is named', async () => {
    await using simulator = await cluster();
    const config = JSON.parse(simulator.kubeconfig());
    config.contexts[0].context.namespace = 'shop';
    await using a = await sidecar('a', simulator, { kubeconfig: fileOf(JSON.stringify(config)) });
    expect(await a.process.waitFor(({ event }) => event === 'starting')).toMatchObject({ namespace: 'shop' });
  });

  it('is not ready without the permission to create the Lease, and says that it lacks it', async () => {
    const mayRead = ({ verb }: AccessAttributes): boolean => verb === 'get';
    await using simulator = await cluster({ authorize: mayRead });
    const kubeconfig = fileOf(simulator.kubeconfig({ user: 'app' }));
    await using a = await sidecar('a', simulator, { kubeconfig });
    await until('it says so', async () => (await a.page('/readyz')).text.includes('"create"'), [a]);
    expect((await a.page('/readyz')).status).toBe(503);
    expect((await a.page('/healthz')).status).toBe(200);
  });

  it('refuses an address that is taken', async () => {
    await using simulator = await cluster();
    await using a = await sidecar('a', simulator);
    const flags = ['--election', 'cart', '--id', 'b', '--http', new URL(a.url).host];
    const b = runCommand(['elect', ...flags, '--kubeconfig', fileOf(simulator.kubeconfig())]);
    expect(await b.exit).toEqual({ code: 1, signal: null });
    expect(b.stderr).toMatch(/^liberator: could not listen on .+: the port is already in use; set --http\n$/);
  });

  it.each([
    ['elect', "required option '--election <name>' not specified"],
    ['elect --election Cart', 'expected a name that a Lease can have, .+, found "Cart"'],
    ['elect --election cart --election-namespace a.b', 'expected a namespace, .+, found "a.b"'],
    ['elect --election cart --id=', 'expected up to 128 letters, .+, found ""'],
    ['elect --election cart --ttl 10', 'expected a duration .+, found "10": add a unit, "10s" for seconds'],
    ['elect --election cart --ttl 999ms', 'expected 1s to 10m, found "999ms"'],
    ['elect --election cart --http 4040', 'expected an address and a port such as .+, found "4040"'],
    ['elect --election cart', 'found no cluster to talk to: .+'],
  ])('refuses `liberator %s` with one sentence and exit code 2', async (line, sentence) => {
    const refused = runCommand(line.split(' '));
    expect(await refused.exit).toEqual({ code: 2, signal: null });
    expect(refused.stderr).toMatch(new RegExp(`^liberator: .*${sentence}\n$`));
    expect(refused.entries).toEqual([]);
  });
});
