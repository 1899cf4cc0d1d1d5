// cordon, drain and uncordon as somebody types them, on a simulated cluster.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Node, Pod } from '@liberator/core';
import { type AccessAttributes, resources, Simulator } from '@liberator/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentedMaintenanceRole } from '../documents/roles.ts';
import { type AgentProcess, runCommand } from '../processes/agent-process.ts';

const asTest = { user: 'test' };
const labels = { app: 'db' };
const mark = 'liberator.dev/maintenance';

const { rules } = documentedMaintenanceRole();

/** Alice may do what the documentation gives her, a stranger nothing, and the test everything. */
function mayAccess({ user, verb, group, resource, subresource }: AccessAttributes): boolean {
  if (user !== 'alice') return user !== 'stranger';
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  return rules.some(
    ({ apiGroups, resources: named, verbs }) =>
      apiGroups.includes(group) && named.includes(what) && verbs.includes(verb),
  );
}

describe('planned maintenance on the command line', () => {
  let simulator: Simulator;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'liberator-maintenance-'));
    simulator = await Simulator.start({
      http: true,
      nodes: 3,
      timings: { speedUp: 10 },
      authorize: mayAccess,
    });
    await simulator.until(() => simulator.nodesReady());
    simulator.store.create(resources.statefulsets, database, asTest);
    simulator.store.create(resources.poddisruptionbudgets, budget, asTest);
    await simulator.until(() => isReady(podNamed('db-0')), { limitMs: 30_000 });
  });
  afterAll(async () => {
    await simulator.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const podNamed = (name: string): Pod | undefined =>
    simulator.store.find(resources.pods, 'default', name) as unknown as Pod | undefined;
  const nodeNamed = (name: string): Node =>
    simulator.store.get(resources.nodes, undefined, name) as unknown as Node;

  const allow = (maxUnavailable: number): void => {
    simulator.store.modify<{ spec: { maxUnavailable: number } }>(
      resources.poddisruptionbudgets,
      'default',
      'db',
      (draft) => {
        draft.spec.maxUnavailable = maxUnavailable;
        return true;
      },
      asTest,
    );
  };

  const begin = (line: string, user = 'alice'): AgentProcess => {
    const path = join(folder, `${user}.kubeconfig`);
    writeFileSync(path, simulator.kubeconfig({ user }));
    // As kubectl finds it; a second file, or a flag, would have to be asked for.
    return runCommand(line.split(' '), ['env', `KUBECONFIG=${path}`]);
  };

  const type = async (
    line: string,
    user?: string,
  ): Promise<{ code: number | null; stdout: string; stderr: string }> => {
    const command = begin(line, user);
    const { code } = await command.exit;
    return { code, stdout: command.entries.map(({ msg }) => msg).join('\n'), stderr: command.stderr };
  };

  it('previews, is refused by a budget, goes on after an interruption, and needs no more rights than documented', async () => {
    const before = podNamed('db-0');
    const node = before?.spec?.nodeName ?? '';
    allow(0);
    const preview = await type(`drain ${node} --dry-run`);
    expect(preview).toEqual({
      code: 0,
      stdout: 'POD           ACTION  WHY\ndefault/db-0  evict   StatefulSet db makes it anew, one at a time',
      stderr: '',
    });
    expect(nodeNamed(node).spec?.unschedulable).toBeUndefined();

    await using first = begin(`drain ${node}`);
    await first.waitFor(({ msg }) => msg.startsWith('default/db-0: refused: PodDisruptionBudget db needs 1'));
    expect(await first.kill('SIGINT')).toEqual({ code: 130, signal: null });
    expect(first.stderr.split('\n')).toEqual([
      `liberator: the drain of ${node} was interrupted: 1 pod had still to go`,
      expect.stringMatching(/^liberator: {3}default\/db-0: PodDisruptionBudget db needs 1 healthy pods/),
      `liberator: ${node} stays cordoned, and takeovers of it stay held for up to 5m`,
      `liberator: to go on:        liberator drain ${node}`,
      `liberator: to give it back: liberator uncordon ${node}`,
      '',
    ]);
    expect(nodeNamed(node).metadata.annotations?.[mark]).toContain('"phase":"draining"');

    const late = await type(`drain ${node} --timeout 1s`);
    expect(late.code).toBe(1);
    expect(late.stderr).toContain(`liberator: ${node} was not drained within 1 s: 1 pod had still to go\n`);

    allow(1);
    const drained = await type(`drain ${node} --hold 2h`);
    expect(drained).toMatchObject({ code: 0, stderr: '' });
    expect(drained.stdout).toContain(`\n${node} is drained: 1 pod moved\n`);
    expect(drained.stdout).toMatch(
      /takeovers of it stay held for 2h, or until "liberator uncordon node-\d"$/,
    );
    expect(podNamed('db-0')?.metadata.uid).not.toBe(before?.metadata.uid);

    const again = await type(`drain ${node}`);
    expect(again.stdout).toContain(`${node}: was cordoned already; takeovers of it are held`);
    const given = await type(`uncordon ${node}`);
    expect(given.stdout.split('\n')).toEqual([
      `${node} is uncordoned`,
      expect.stringMatching(/^takeovers of it are no longer held \(the drain of .+@.+, since .+\)$/),
    ]);
    expect(nodeNamed(node).spec?.unschedulable).toBeUndefined();
    expect(nodeNamed(node).metadata.annotations ?? {}).not.toHaveProperty([mark]);
  });

  it('cordons and uncordons as often as one likes', async () => {
    const said = [];
    for (const line of ['cordon node-1', 'cordon node-1', 'uncordon node-1', 'uncordon node-1']) {
      said.push((await type(line)).stdout);
    }
    expect(said).toEqual([
      'node-1 is cordoned',
      'node-1 was cordoned already',
      'node-1 is uncordoned',
      'node-1 was not cordoned',
    ]);
  });

  // Nothing is changed here, so they go side by side.
  it.concurrent.each([
    ['drain', 2, "liberator: missing required argument 'node'\n"],
    ['drain nowhere', 1, 'liberator: there is no node nowhere: "kubectl get nodes" lists them\n'],
    ['uncordon nowhere', 1, 'liberator: there is no node nowhere: "kubectl get nodes" lists them\n'],
    [
      'drain node-1 --hold 25h',
      2,
      /^liberator: option '--hold <duration>' argument '25h' is invalid\. expected at/,
    ],
    [
      'drain node-1 --kubeconfig /nowhere',
      2,
      /^liberator: could not read the kubeconfig \/nowhere: there is no/,
    ],
  ])('says in one sentence what is wrong with `liberator %s`', async (line, code, sentence) => {
    const answer = await type(line);
    expect(answer).toMatchObject({ code, stdout: '' });
    if (typeof sentence === 'string') expect(answer.stderr).toBe(sentence);
    else expect(answer.stderr).toMatch(sentence);
  });

  it('says which permission is missing', async () => {
    const { code, stderr } = await type('cordon node-1', 'stranger');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^liberator: not allowed to get nodes node-1: grant this identity the verb "get"/);
  });
});

function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

const database = {
  metadata: { name: 'db', namespace: 'default' },
  spec: {
    serviceName: 'db',
    replicas: 1,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'db', image: 'example.com/db:1' }] } },
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ],
  },
};

const budget = {
  metadata: { name: 'db', namespace: 'default' },
  spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
};
