// Three real agents beside a simulated cluster: what they do to it, and above all what they don't.
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { AgentProcess } from '../processes/agent-process.ts';
import { isReady, SimulatedCluster, withHuman, withoutProof } from './simulated-cluster.ts';

const identityOf = (agent: AgentProcess): string => String(agent.entries[0]?.['identity']);

describe('three agents', () => {
  it('take over a crashed node once: its database runs elsewhere, on the same volume', async () => {
    await using cluster = await SimulatedCluster.start();
    await cluster.startAgents(withoutProof);
    const node = cluster.databaseNode();
    const before = cluster.database();
    const volume = cluster.databaseVolume();
    const uid = cluster.node(node)?.metadata.uid;

    await cluster.crash(node);
    const record = await cluster.recovered(node);

    expect(record).toMatchObject({ result: 'recovered', evidence: 'unreachable', node: { name: node, uid } });
    const after = cluster.database();
    expect(isReady(after)).toBe(true);
    expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
    expect(after?.spec?.nodeName).not.toBe(node);
    expect(volume).toBeDefined();
    expect(cluster.databaseVolume()).toBe(volume);
    const leader = identityOf(await cluster.leader());
    expect(cluster.deletions('nodes')).toEqual([
      expect.objectContaining({ name: node, user: leader, requestUid: uid }),
    ]);
    expect(
      cluster.simulator.audit().filter(({ code, resource }) => code === 403 && resource !== 'namespaces'),
    ).toEqual([]);
    expect(new Set(cluster.writes().map(({ user }) => user))).toEqual(new Set([leader]));
    const ended = await cluster.agent(leader).waitFor(({ step }) => step === 'close');
    expect(ended).toMatchObject({ event: 'takeover', node, result: 'recovered', takeover: record.id });
  });

  it('hand leadership over within three seconds when the leader is asked to stop', async () => {
    await using cluster = await SimulatedCluster.start();
    await cluster.startAgents(withoutProof);
    const leader = await cluster.leader();

    const exit = leader.kill('SIGTERM');
    const askedAt = performance.now();
    const next = await cluster.leader(identityOf(leader));
    const tookMs = performance.now() - askedAt;

    expect(await exit).toEqual({ code: 0, signal: null });
    expect(leader.stderr).toBe('');
    expect(leader.entries.slice(-2)).toMatchObject([
      { event: 'stopping', signal: 'SIGTERM' },
      { event: 'stopped' },
    ]);
    expect(tookMs).toBeLessThan(3_000);
    await next.waitFor(({ event, leading }) => event === 'leadership' && leading === true);
  });

  it('finish a takeover whose leader was killed in the middle of it', async () => {
    await using cluster = await SimulatedCluster.start();
    await cluster.startAgents(withoutProof);
    const node = cluster.databaseNode();
    const leader = await cluster.leader();

    await cluster.crash(node);
    await leader.waitFor(({ step, phase }) => step === 'release' && phase === 'started');
    expect(await leader.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    const epochs = cluster.records().map(({ epoch }) => epoch);
    const record = await cluster.recovered(node);

    expect(record.result).toBe('recovered');
    expect(record.epoch).toBeGreaterThan(epochs[0] ?? Number.POSITIVE_INFINITY);
    expect(cluster.records()).toHaveLength(1);
    expect(isReady(cluster.database())).toBe(true);
    const next = identityOf(await cluster.leader(identityOf(leader)));
    expect(cluster.deletions('nodes')).toEqual([expect.objectContaining({ name: node, user: next })]);
  });

  it('do without a leader that stood still: it ends when it wakes, and writes nothing any more', async () => {
    await using cluster = await SimulatedCluster.start();
    await cluster.startAgents(withHuman);
    const node = cluster.databaseNode();
    const old = await cluster.leader();
    await cluster.crash(node);
    await old.waitFor(({ step, phase }) => step === 'fence' && phase === 'waiting');

    old.signal('SIGSTOP');
    const next = await cluster.leader(identityOf(old));
    await next.waitFor(({ step, phase }) => step === 'fence' && phase === 'waiting');
    const requests = (): number =>
      cluster.simulator.audit().filter(({ user, verb }) => user === identityOf(old) && verb !== 'watch')
        .length;
    const before = requests();
    const wokenAt = performance.now();
    old.signal('SIGCONT');
    const exit = await old.exit;

    expect(exit).toEqual({ code: 3, signal: null });
    expect(performance.now() - wokenAt).toBeLessThan(3_000);
    expect(old.stderr).toMatch(/^liberator: leadership lost: .+\n$/);
    expect(old.entries.at(-1)).toMatchObject({
      event: 'stopped',
      code: 'LIBERATOR_LEADERSHIP_LOST',
      exitCode: 3,
    });
    expect(requests()).toBe(before);
    expect(identityOf(await cluster.leader())).toBe(identityOf(next));
  });

  it('wait for a human where a policy requires proof, and go on once it is given', async () => {
    await using cluster = await SimulatedCluster.start();
    await cluster.startAgents(withHuman);
    const node = cluster.databaseNode();
    const uid = cluster.database()?.metadata.uid;
    const leader = await cluster.leader();

    await cluster.crash(node);
    const waiting = await leader.waitFor(({ step, phase }) => step === 'fence' && phase === 'waiting');
    await pause(3_000);
    expect(cluster.database()?.metadata.uid).toBe(uid);
    expect(cluster.deletions('nodes')).toEqual([]);
    expect(cluster.deletions('pods')).toEqual([]);
    expect(waiting['detail']).toContain(
      `kubectl annotate --overwrite node ${node} liberator.dev/confirmed-dead=`,
    );
    cluster.confirmDead(node, String(waiting['deathId']));
    const record = await cluster.recovered(node);

    expect(record).toMatchObject({ result: 'recovered', proof: 'confirmed-by-human' });
    expect(cluster.deletions('nodes').map(({ name }) => name)).toEqual([node]);
  });

  it('delete nothing when all nodes are cut off at once', async () => {
    await using cluster = await SimulatedCluster.start();
    await cluster.startAgents(withoutProof);
    const uids = (): readonly unknown[] =>
      cluster.simulator.nodes.map(({ name }) => cluster.node(name)?.metadata.uid);
    const before = uids();
    const leader = await cluster.leader();
    const health = await fetch(`${await leader.url()}/readyz`);
    expect(health.status).toBe(200);

    await cluster.cutAll();
    await leader.waitFor(({ event, msg }) => event === 'sight' && msg.includes('fell silent together'));
    const blindAt = leader.entries.length;
    await pause(6_000);

    expect(
      cluster.writes().filter(({ resource, name }) => resource !== 'events' && name !== 'liberator-status'),
    ).toEqual([]);
    expect(cluster.records()).toEqual([]);
    expect(uids()).toEqual(before);
    const metrics = await (await fetch(`${await leader.url()}/metrics`)).text();
    expect(metrics).toMatch(/^liberator_blind 1$/m);
    expect(metrics).toMatch(/^liberator_leader 1$/m);

    cluster.healAll();
    await leader.waitFor(
      ({ event, blind }) => event === 'sight' && Array.isArray(blind) && blind.length === 0,
      20_000,
      blindAt,
    );
    await pause(3_000);
    expect(uids()).toEqual(before);
    expect(cluster.records()).toEqual([]);
  });
});
