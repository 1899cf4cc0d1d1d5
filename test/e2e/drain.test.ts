// Planned maintenance on a real control plane: budgets that refuse, Ctrl-C, and a machine that dies in the middle of it.
import { CoreV1Api, KubeConfig, PolicyV1Api, RbacAuthorizationV1Api } from '@kubernetes/client-node';
import type { Pod } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { documentedMaintenanceRole } from '../documents/roles.ts';
import { type AgentProcess, runCommand } from '../processes/agent-process.ts';
import { pause, Stage } from './stage.ts';

const mark = 'liberator.dev/maintenance';

describe('draining a node of a real control plane', () => {
  it('waits for the budget that refuses, goes on after Ctrl-C, and gives the node back', async () => {
    await using stage = await Stage.open();
    const person = await Person.open(stage);
    const before = await databaseOf(stage);
    const node = await stage.databaseNode();
    await person.createBudget(1);
    const { stdout: preview } = await person.type('drain', node, '--dry-run');
    expect(preview).toMatch(/^default\/mysql-0 +evict +StatefulSet mysql makes it anew, one at a time$/m);
    expect((await stage.node(node))?.spec?.unschedulable).toBeUndefined();

    await using first = person.begin('drain', node);
    const refused = await first.waitFor(({ msg }) => msg.startsWith('default/mysql-0: refused'), 60_000);
    expect(refused.msg).toBe(
      'default/mysql-0: refused: PodDisruptionBudget mysql needs 1 healthy pods and has 1 currently',
    );
    expect(await stage.node(node)).toMatchObject({
      spec: { unschedulable: true },
      metadata: { annotations: { [mark]: expect.stringContaining('"phase":"draining"') } },
    });
    expect(await first.kill('SIGINT')).toEqual({ code: 130, signal: null });
    expect(first.stderr).toContain(`liberator: ${node} stays cordoned, and takeovers of it stay held`);
    const where = `${node} --kubeconfig ${person.kubeconfig}\n`;
    expect(first.stderr).toContain(`liberator: to go on:        liberator drain ${where}`);
    expect(first.stderr).toContain(`liberator: to give it back: liberator uncordon ${where}`);
    expect((await databaseOf(stage)).metadata.uid).toBe(before.metadata.uid);
    expect((await stage.node(node))?.metadata.annotations).toHaveProperty([mark]);

    await using second = person.begin('drain', node);
    await second.waitFor(({ msg }) => msg.startsWith('default/mysql-0: refused'), 60_000);
    await person.changeBudget(0);
    expect(await second.exit).toEqual({ code: 0, signal: null });
    const said = second.entries.map(({ msg }) => msg);
    expect(said).toContainEqual(
      expect.stringMatching(/^default\/mysql-0: done: Ready on node-\d with volume mysql-disk$/),
    );
    expect(said.at(-2)).toBe(`${node} is drained: 1 pod moved`);
    const after = await databaseOf(stage);
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    expect(after.spec?.nodeName).not.toBe(node);
    expect((await stage.node(node))?.metadata.annotations?.[mark]).toContain('"phase":"drained"');

    const { stdout } = await person.type('uncordon', node);
    expect(stdout.split('\n')[0]).toBe(`${node} is uncordoned`);
    const given = await stage.node(node);
    expect(given?.spec?.unschedulable).toBeUndefined();
    expect(given?.metadata.annotations).not.toHaveProperty([mark]);
    expect(await stage.records()).toEqual([]);
    expect(await stage.deletes('pods')).toEqual([]);
  });

  it('holds the takeover of a machine that dies meanwhile, where everybody sees it, until it is uncordoned', async () => {
    await using stage = await Stage.open();
    const person = await Person.open(stage);
    const before = await databaseOf(stage);
    const node = await stage.databaseNode();
    await person.createBudget(1);
    await using drain = person.begin('drain', node);
    await drain.waitFor(({ msg }) => msg.startsWith('default/mysql-0: refused'), 60_000);

    stage.cluster.crash(node);
    // Every other guard passes by then, so this one alone holds.
    let held: readonly string[] = [];
    await stage.until('only maintenance holds the takeover', async () => {
      const decisions = stage
        .agent(await stage.leader())
        .entries.filter((entry) => entry.event === 'decision' && entry['node'] === node);
      held = (decisions.at(-1)?.['reasons'] as readonly string[] | undefined) ?? [];
      return held.length === 1 && held[0]?.startsWith('maintenance: ') === true;
    });
    expect(held[0]).toMatch(/ is draining it \(since .+\); held for at most \d+ s more/);
    await drain.waitFor(({ msg }) => msg.includes('stopped reporting'), 90_000);
    await pause(10_000);
    expect(await stage.records()).toEqual([]);
    expect((await databaseOf(stage)).metadata.uid).toBe(before.metadata.uid);
    expect(await person.eventsAbout(node)).toContainEqual(
      expect.stringMatching(/^TakeoverHeld: .*maintenance: /),
    );

    expect(await drain.kill('SIGINT')).toEqual({ code: 130, signal: null });
    await pause(5_000);
    expect(await stage.records()).toEqual([]);
    const { code, stderr } = await person.type('drain', node);
    expect(code).toBe(1);
    expect(stderr).toContain(`${node} has stopped reporting`);

    await person.type('uncordon', node);
    const after = await stage.untilRecovered(before);
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
  });
});

/** Somebody at a keyboard, with the rights that the documentation gives, and an administrator beside her. */
class Person {
  readonly kubeconfig: string;
  readonly #budgets: PolicyV1Api;
  readonly #core: CoreV1Api;

  private constructor(kubeconfig: string, administrator: KubeConfig) {
    this.kubeconfig = kubeconfig;
    this.#budgets = administrator.makeApiClient(PolicyV1Api);
    this.#core = administrator.makeApiClient(CoreV1Api);
  }

  static async open({ cluster }: Stage): Promise<Person> {
    const administrator = new KubeConfig();
    administrator.loadFromFile(cluster.kubeconfigPath);
    const roles = administrator.makeApiClient(RbacAuthorizationV1Api);
    const { metadata, rules } = documentedMaintenanceRole();
    const { name } = metadata;
    await roles.createClusterRole({ body: { metadata, rules: rules.map(asWritable) } });
    await roles.createClusterRoleBinding({
      body: {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'alice' }],
      },
    });
    return new Person(await cluster.clientKubeconfig({ user: 'alice' }), administrator);
  }

  begin(...words: readonly string[]): AgentProcess {
    return runCommand([...words, '--kubeconfig', this.kubeconfig]);
  }

  /** Types a command and waits for its end. */
  async type(...words: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const command = this.begin(...words);
    const { code } = await command.exit;
    return { code, stdout: command.entries.map(({ msg }) => msg).join('\n'), stderr: command.stderr };
  }

  async createBudget(minAvailable: number): Promise<void> {
    const spec = { minAvailable, selector: { matchLabels: { app: 'mysql' } } };
    await this.#budgets.createNamespacedPodDisruptionBudget({
      namespace: 'default',
      body: { metadata: { name: 'mysql' }, spec },
    });
  }

  async changeBudget(minAvailable: number): Promise<void> {
    const at = { namespace: 'default', name: 'mysql' };
    const body = await this.#budgets.readNamespacedPodDisruptionBudget(at);
    await this.#budgets.replaceNamespacedPodDisruptionBudget({
      ...at,
      body: { ...body, spec: { ...body.spec, minAvailable } },
    });
  }

  /** `reason: message` of each. */
  async eventsAbout(node: string): Promise<readonly string[]> {
    const fieldSelector = `involvedObject.kind=Node,involvedObject.name=${node}`;
    const { items } = await this.#core.listNamespacedEvent({ namespace: 'default', fieldSelector });
    return items.map(({ reason, message }) => `${reason}: ${message}`);
  }
}

/** client-node's types know no readonly. */
function asWritable(rule: ReturnType<typeof documentedMaintenanceRole>['rules'][number]) {
  return { apiGroups: [...rule.apiGroups], resources: [...rule.resources], verbs: [...rule.verbs] };
}

async function databaseOf(stage: Stage): Promise<Pod> {
  const pod = await stage.database();
  if (pod === undefined) throw new Error('expected mysql-0, found nothing');
  return pod;
}
