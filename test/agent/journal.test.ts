// What an agent recorded, replayed; and an agent that only observes, beside those that act.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReplayEvent } from '@liberator/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { runCommand } from '../processes/agent-process.ts';
import { configOf, SimulatedCluster, withoutProof } from './simulated-cluster.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'liberator-journal-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function replay(...args: readonly string[]): Promise<string> {
  const command = runCommand(['replay', ...args]);
  expect(await command.exit).toEqual({ code: 0, signal: null });
  expect(command.stderr).toBe('');
  return command.entries.map(({ msg }) => msg).join('\n');
}

interface Told {
  readonly events: readonly ReplayEvent[];
  readonly differences?: readonly { readonly node: string }[];
}

const takenOver = ({ events }: Told): readonly string[] =>
  events.flatMap((event) => (event.kind === 'takeover' ? [`${event.node} ${event.deathId}`] : []));

describe('the journal of a crash', () => {
  it('replays to the same decisions, and by a stricter policy to others', async () => {
    const journals = folder();
    await using cluster = await SimulatedCluster.start();
    const file = (identity: string): string => join(journals, identity);
    await cluster.startAgents(withoutProof, (identity) => ({ journal: { file: file(identity) } }));
    const leader = String((await cluster.leader()).entries[0]?.['identity']);
    const node = cluster.databaseNode();
    await cluster.crash(node);
    const record = await cluster.recovered(node);
    await cluster.agent(leader).kill('SIGTERM');

    const told = JSON.parse(await replay(file(leader), '-o', 'json')) as Told;
    expect(takenOver(told)).toEqual([`${node} ${record.deathId}`]);
    const logged = cluster
      .agent(leader)
      .entries.filter(({ event }) => event === 'health')
      .map(({ node: name, to }) => `${name} ${to}`);
    const health = told.events.flatMap((event) =>
      event.kind === 'health' ? [`${event.node} ${event.to}`] : [],
    );
    expect(health).toEqual(logged);
    expect(await replay(file(leader))).toBe(await replay(file(leader)));

    const strict = join(journals, 'strict.yaml');
    writeFileSync(
      strict,
      stringify({ ...configOf(withoutProof, { evidence: 'proven' }), namespace: undefined }),
    );
    const other = JSON.parse(await replay(file(leader), '--config', strict, '-o', 'json')) as Told;
    expect(takenOver(other)).toEqual([]);
    expect(other.differences?.map((one) => one.node)).toEqual([node]);
    const text = await replay(file(leader), '--config', strict, '--node', node);
    expect(text).toContain('held: evidence: ');
    expect(text).toMatch(/recorded +taken over at .* by policy all/);
  });
});

describe('an agent that only observes', () => {
  it('tells of a death what those who act do about it, and writes its Lease, its status and Events alone', async () => {
    await using cluster = await SimulatedCluster.start();
    // Two of four may die.
    const policy = { budget: { maxDead: 3, maxDeadPercent: 75 } };
    await cluster.startAgents(withoutProof, () => configOf(withoutProof, policy));
    const first = cluster.databaseNode();
    await cluster.crash(first);
    await cluster.recovered(first);
    const observer = await cluster.startObserver(withoutProof, policy);
    await observer.waitFor(({ event, leading }) => event === 'leadership' && leading === true);
    const node = cluster.databaseNode();
    await cluster.crash(node);
    await cluster.recovered(node);
    const observed = await observer.waitFor(({ event }) => event === 'observed');
    expect(observed).toMatchObject({ node, mode: 'observe', policy: 'all' });
    await cluster.until('the Event', () =>
      cluster.simulator
        .audit()
        .some(
          ({ user, resource, verb }) => user === 'observer-1' && resource === 'events' && verb === 'create',
        ),
    );
    const written = cluster.simulator
      .audit()
      .filter(({ user, verb }) => user === 'observer-1' && !['get', 'list', 'watch'].includes(verb))
      .filter(({ resource }) => resource !== 'selfsubjectaccessreviews')
      .map(({ resource, name = '' }) => (resource === 'events' ? 'events' : `${resource} ${name}`));
    expect(new Set(written)).toEqual(
      new Set(['leases liberator-observe', 'configmaps liberator-observe-status', 'events']),
    );
    expect(
      cluster.simulator.audit().filter(({ user, code }) => user === 'observer-1' && code === 403),
    ).toEqual([]);
  });
});
