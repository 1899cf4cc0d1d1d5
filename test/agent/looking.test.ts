// What a person sees who looks at a simulated cluster with `liberator status` and `liberator takeovers`.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../processes/agent-process.ts';
import { SimulatedCluster, withHuman } from './simulated-cluster.ts';

interface Looked {
  readonly code: number | null;
  readonly text: string;
  readonly stderr: string;
}

let cluster: SimulatedCluster;
let kubeconfig: string;
beforeAll(async () => {
  cluster = await SimulatedCluster.start();
  kubeconfig = cluster.kubeconfig('bob');
});
afterAll(() => cluster[Symbol.asyncDispose]());

async function look(...args: readonly string[]): Promise<Looked> {
  const command = runCommand([...args, '--kubeconfig', kubeconfig]);
  const { code } = await command.exit;
  return { code, text: command.entries.map(({ msg }) => msg).join('\n'), stderr: command.stderr };
}

const here = ['--namespace', 'liberator'];

describe('somebody who looks', () => {
  it('is told where nothing of Liberator is, with the flags that help', async () => {
    const { code, stderr } = await look('status');
    expect(code).toBe(1);
    expect(stderr).toBe(
      'liberator: found nothing of Liberator in namespace tkr-system: no Lease liberator, no status, no takeovers; ' +
        'say where it is with --namespace and --election\n',
    );
  });

  it('sees one death from all being well to its end, and the takeover step by step', async () => {
    await cluster.startAgents(withHuman);
    const leader = String((await cluster.leader()).entries[0]?.['identity']);
    await cluster.until('a status', () => cluster.status()?.counts.alive === 4);
    const well = await look('status', ...here);
    expect(well).toMatchObject({ code: 0, stderr: '' });
    expect(well.text).toMatch(
      new RegExp(`^Leader  ${leader}, in epoch \\d+ for \\d+s, renewed \\d+s ago$`, 'm'),
    );
    expect(well.text).toMatch(/^Nodes {3}4 alive$/m);
    expect(well.text).toMatch(/^node-1 +alive +- +all$/m);
    expect(well.text).toMatch(/^No takeovers on record\.$/m);
    expect((await look('takeovers', ...here)).text).toBe('No takeovers on record in namespace liberator.');

    const watching = runCommand(['status', ...here, '--watch', '-o', 'json', '--kubeconfig', kubeconfig]);
    await using _ = watching;
    await watching.waitFor(({ msg }) => msg.startsWith('{'));
    const node = cluster.databaseNode();
    await cluster.crash(node);
    await cluster.until('its takeover to wait for a human', () =>
      cluster.records().some(({ steps }) => steps.fence?.detail !== undefined),
    );
    await cluster.until('the status to tell', () => cluster.status()?.nodes[0]?.takeover === true);
    const [record] = cluster.records();
    const waiting = await look('status', ...here);
    expect(waiting.text).toMatch(new RegExp(`^${node} +dead +\\d+s +all +Lease not renewed for \\d+s`, 'm'));
    expect(waiting.text).toMatch(/^ +being taken over$/m);
    expect(waiting.text).toMatch(new RegExp(`^${record?.id} +${node} +in fence `, 'm'));
    expect(waiting.text).toContain(
      `  or: kubectl annotate --overwrite node ${node} liberator.dev/confirmed-dead=${record?.deathId}`,
    );

    cluster.confirmDead(node, String(record?.deathId));
    await cluster.recovered(node);
    const over = JSON.parse((await look('status', ...here, '-o', 'json')).text) as Record<string, unknown>;
    expect(over).toMatchObject({
      version: 1,
      knowledge: 'current',
      election: { leader, expired: false },
      takeovers: [{ id: record?.id, node, state: 'recovered', running: false, leader }],
    });

    const listed = await look('takeovers', ...here);
    expect(listed.text).toMatch(
      new RegExp(`^${record?.id} +${node} +recovered +\\d+s +[\\d.]+s +by ${leader} in epoch`, 'm'),
    );
    for (const name of [node, String(record?.id)]) {
      const { text } = await look('takeovers', name, ...here);
      expect(text).toMatch(new RegExp(`^Takeover ${record?.id} of ${node}: recovered after [\\d.]+s$`, 'm'));
      expect(text).toMatch(/^fence +\+[\d.]+s +[\d.]+s +done +proof: confirmed-by-human/m);
      expect(text).toMatch(/^ {2}evidence +passed$/m);
      expect(text).toMatch(
        /^ {2}default\/database-0 +Ready on node-\d after [\d.]+s \(StatefulSet database\)$/m,
      );
    }
    expect(JSON.parse((await look('takeovers', node, ...here, '-o', 'json')).text)).toMatchObject({
      version: 1,
      id: record?.id,
      result: 'recovered',
    });

    const explained = await look('explain', 'node-99', ...here);
    expect(explained.code).toBe(1);
    expect(explained.stderr).toMatch(
      /^liberator: found nothing about a node "node-99": there are node-\d, node-\d/,
    );
    const alive = String(cluster.status()?.nodes.find(({ health }) => health === 'alive')?.name);
    expect((await look('explain', alive, ...here)).text).toMatch(
      /^ {2}decision +none is due: it is not dead$/m,
    );

    await watching.waitFor(({ msg }) => msg.includes('"state":"recovered"'));
    expect(await watching.kill('SIGINT')).toEqual({ code: null, signal: 'SIGINT' });
    const seen = watching.entries.map(({ msg }) => JSON.parse(msg) as { takeovers: { state: string }[] });
    const states = seen.map(({ takeovers }) => takeovers[0]?.state);
    expect(states[0]).toBeUndefined();
    expect(states).toContain('fence');
    expect(states.at(-1)).toBe('recovered');
  });

  it('is told that a name means nothing', async () => {
    const { code, stderr } = await look('takeovers', 'node-99', ...here);
    expect(code).toBe(1);
    expect(stderr).toBe(
      'liberator: expected the id of a takeover on record, or the name of a node that had one, found "node-99": ' +
        'see "liberator takeovers --namespace liberator" for those that there are\n',
    );
  });
});
