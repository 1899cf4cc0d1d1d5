// What a person is told who runs `liberator simulate` against a simulated cluster, and that nothing of it is touched.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AccessAttributes, resources, type Simulator } from '@liberator/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asTest, type Looked, LookedAt } from './read-only-command.ts';

/** Alice may do everything, Bob may only look at nodes and configurations, Carol at nothing. */
function authorize({ user, verb, resource }: AccessAttributes): boolean {
  if (user === 'carol') return false;
  if (user !== 'bob') return true;
  return ['get', 'list'].includes(verb) && ['nodes', 'configmaps'].includes(resource);
}

const config = `
policies:
  - name: everything
    nodes: { all: true }
    budget: { maxDead: 9, maxDeadPercent: 100 }
    fencing: { ladder: [{ fencer: none }], proof: optional }
`;

let cluster: LookedAt;
let databaseOn: string;
let simulator: Simulator;
let folder: string;
beforeAll(async () => {
  cluster = await LookedAt.start({ nodes: 5, users: ['alice', 'bob', 'carol'], authorize, database });
  ({ simulator, folder } = cluster);
  databaseOn = String(cluster.databaseNode);
});
afterAll(() => cluster[Symbol.asyncDispose]());

const simulate = (user: string, ...args: readonly string[]): Promise<Looked> =>
  cluster.run('simulate', user, ...args);

describe('a simulation', () => {
  it('needs a configuration: the one that is installed, or a file', async () => {
    const { code, text, stderr } = await simulate('alice', '--kill', databaseOn);
    expect({ code, text }).toEqual({ code: 2, text: '' });
    expect(stderr).toBe(
      'liberator: found no configuration: there is no ConfigMap tkr-system/liberator; say with --config which one to ' +
        'decide by, or with --namespace where Liberator is\n',
    );
  });

  it('tells what would follow by the installed configuration, and writes nothing', async () => {
    simulator.store.create(resources.namespaces, { metadata: { name: 'tkr-system' } }, asTest);
    const installed = {
      metadata: { name: 'liberator', namespace: 'tkr-system' },
      data: { 'liberator.yaml': config },
    };
    simulator.store.create(resources.configmaps, installed, asTest);
    const { code, text, stderr } = await simulate('alice', '--kill', databaseOn);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(text).toContain(`If ${databaseOn} died now (1 of 5 nodes; ConfigMap tkr-system/liberator):`);
    expect(text).toMatch(
      new RegExp(`^ {2}\\+\\d+\\.\\ds +${databaseOn} +taken over, by policy everything$`, 'm'),
    );
    expect(text).toMatch(/^ {2}default\/database-0 +-> node-\d +4 nodes would take it$/m);
    const calls = simulator.audit().filter(({ user }) => user === 'alice');
    expect(calls.length).toBeGreaterThan(5);
    expect([...new Set(calls.map(({ verb }) => verb))].toSorted()).toEqual(['get', 'list']);
    expect(cluster.databaseNode).toBe(databaseOn);
  });

  it('prints the same for programs, by a configuration that is not installed yet', async () => {
    const file = join(folder, 'new.yaml');
    writeFileSync(file, config.replace('maxDead: 9', 'maxDead: 1'));
    const args = ['--kill', 'node-1,node-2', '--config', file, '--for', '5m', '-o', 'json'];
    const { code, text } = await simulate('alice', ...args);
    expect(code).toBe(0);
    const found = JSON.parse(text) as { nodes: readonly { outcome: string }[] };
    expect(found).toMatchObject({
      version: 1,
      namespace: 'tkr-system',
      killed: ['node-1', 'node-2'],
      how: 'crash',
      forMs: 300_000,
      unread: [],
      ended: 'time',
    });
    // Only one of them may be dead: who died first is taken over. Where both are found dead in one moment, each holds the other.
    const outcomes = found.nodes.map(({ outcome }) => outcome).toSorted();
    expect([
      ['held', 'over'],
      ['held', 'held'],
    ]).toContainEqual(outcomes);
  });

  it('says what the caller may not read, and goes on without it', async () => {
    const { code, text } = await simulate('bob', '--kill', databaseOn);
    expect(code).toBe(0);
    expect(text).toMatch(/^ {2}- you may not list pods: nothing is known of what is on the nodes$/m);
    expect(text).toMatch(/^ {2}- you may not list Leases in kube-node-lease: /m);
    expect(text).toMatch(/taken over, by policy everything/);
    const refused = await simulate('carol', '--kill', databaseOn);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('you may not get ConfigMap') });
  });

  it('refuses what it can’t kill, with what there is', async () => {
    expect(await simulate('alice', '--kill', 'node-9')).toMatchObject({
      code: 2,
      text: '',
      stderr:
        'liberator: expected the name of a node, zone=NAME or LABEL=VALUE, found "node-9": there are node-1, node-2, ' +
        'node-3, node-4, node-5\n',
    });
    expect((await simulate('alice')).stderr).toMatch(/^liberator: required option '-k, --kill <nodes>'/);
    expect((await simulate('alice')).code).toBe(2);
    expect((await simulate('alice', '--kill', 'node-1', '--for', '30')).stderr).toContain('add a unit');
  });
});

const labels = { app: 'database' };

const database = {
  metadata: { name: 'database', namespace: 'default' },
  spec: {
    serviceName: 'database',
    replicas: 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'database', image: 'example.com/database:1' }] },
    },
  },
};
