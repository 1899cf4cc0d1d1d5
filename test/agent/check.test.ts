// What a person is told who runs `liberator check` against a simulated cluster.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AccessAttributes, resources, type Simulator } from '@liberator/simulator';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../processes/agent-process.ts';
import { asTest, type Looked, LookedAt } from './read-only-command.ts';

const agent = 'system:serviceaccount:tkr-system:high-availability';

/** Alice may do everything, Bob may only read, and the agent's account lacks one thing. */
function authorize({ user, verb, resource }: AccessAttributes): boolean {
  if (user === 'bob') return verb === 'get' || verb === 'list';
  return user !== agent || !(verb === 'delete' && resource === 'nodes');
}

let cluster: LookedAt;
let simulator: Simulator;
let folder: string;
beforeAll(async () => {
  cluster = await LookedAt.start({ nodes: 2, users: ['alice', 'bob'], authorize, database });
  ({ simulator, folder } = cluster);
});
afterAll(() => cluster[Symbol.asyncDispose]());

const check = (user: string, ...args: readonly string[]): Promise<Looked> =>
  cluster.run('check', user, ...args);

describe('a check', () => {
  it('fails where Liberator is not installed, and says so in one line', async () => {
    const { code, text, stderr } = await check('alice');
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
    expect(text).toMatch(/^ok {4}reachable, Kubernetes v1\.36\./m);
    expect(text).toMatch(
      /^FAIL {2}tkr-system\/high-availability: it is not there: install Liberator, or say/m,
    );
    expect(text).not.toContain('What tkr-system');
  });

  it('asks about the account as that account, and changes nothing', async () => {
    simulator.store.create(resources.namespaces, { metadata: { name: 'tkr-system' } }, asTest);
    const account = { metadata: { name: 'high-availability', namespace: 'tkr-system' } };
    simulator.store.create(resources.serviceaccounts, account, asTest);
    const { code, text } = await check('alice');
    expect(code).toBe(2);
    expect(text).toMatch(/^What tkr-system\/high-availability needs$/m);
    expect(text).toMatch(/^ok {4}list nodes$/m);
    expect(text).toMatch(/^FAIL {2}delete nodes: not allowed$/m);
    expect(text).toMatch(/^ok {4}Lease tkr-system\/liberator can be created: it is not there yet$/m);
    expect(text).toMatch(/^WARN {2}replicas: no pod runs under tkr-system\/high-availability/m);
    expect(text).toMatch(
      /^skip {2}the fencing-token policy: this API server does not serve validatingadmission/m,
    );
    expect(text).toMatch(/^skip {2}fencers: nobody has published what they say/m);
    expect(text).toMatch(/^ok {4}default\/database: its pod could run elsewhere$/m);
    expect(text).toMatch(/^\d+ findings: 1 failure, 1 warning, 3 not looked at\.$/m);
    const changed = simulator.audit().filter(({ user, code: answer, verb }) => {
      const isRead = ['get', 'list', 'watch'].includes(verb);
      return (user === 'alice' || user === agent) && !isRead && answer < 300;
    });
    // The dry run alone: it is answered as if it had been done.
    expect(changed.map(({ verb, resource }) => `${verb} ${resource}`)).toEqual(['create leases']);
    expect(simulator.store.find(resources.leases, 'tkr-system', 'liberator')).toBeUndefined();
  });

  it('says what it could not ask, to somebody who may not act as the account', async () => {
    const { code, text } = await check('bob', '-o', 'json');
    expect(code).toBe(1);
    const report = JSON.parse(text) as { sections: { title: string; findings: { mark: string }[] }[] };
    expect(report).toMatchObject({
      version: 1,
      namespace: 'tkr-system',
      election: { name: 'liberator' },
      exitCode: 1,
    });
    const account = report.sections.find(({ title }) => title === 'What tkr-system/high-availability may do');
    expect(account?.findings).toEqual([
      { mark: 'warning', what: 'not checked', detail: expect.stringContaining('you may not act as it') },
    ]);
  });

  it('tells which StatefulSets a takeover could not help', async () => {
    simulator.store.modify<{ spec?: { unschedulable?: boolean } }>(
      resources.nodes,
      undefined,
      cluster.databaseNode === 'node-1' ? 'node-2' : 'node-1',
      (node) => {
        node.spec = { ...node.spec, unschedulable: true };
        return true;
      },
      asTest,
    );
    const { code, text } = await check('bob');
    expect(code).toBe(1);
    expect(text).toMatch(
      /^WARN {2}default\/database-0, on node-\d: no other node would take it: cordoned \(node-\d\)$/m,
    );
  });

  it('fails with one sentence where there is no API server', async () => {
    const { code, text, stderr } = await check('nobody');
    expect({ code, text }).toEqual({ code: 2, text: '' });
    expect(stderr).toMatch(/^liberator: could not read the kubeconfig .*: there is no such file\n$/);
    writeFileSync(join(folder, 'away'), simulator.kubeconfig().replace(/127\.0\.0\.1:\d+/, '127.0.0.1:9'));
    const away = await check('away');
    expect(away.code).toBe(2);
    expect(away.text).toMatch(
      /^FAIL {2}reachable: could not reach http:\/\/127\.0\.0\.1:9: connection refused$/m,
    );
  });

  it('that is interrupted says so, and leaves no program of a fencer behind', async () => {
    const [program, pid, config] = ['fence_slow', 'pid', 'slow.yaml'].map((name) => join(folder, name));
    const metadata =
      '<resource-agent><parameters><parameter name="plug"><getopt mixed="-n, --plug"/></parameter></parameters>' +
      '<actions><action name="off"/><action name="on"/><action name="status"/></actions></resource-agent>';
    writeFileSync(
      program ?? '',
      `#!/bin/sh\nread -r action\nif [ "$action" = action=metadata ]; then echo '${metadata}'; exit 0; fi\necho $$ > '${pid}'\nsleep 60\n`,
    );
    chmodSync(program ?? '', 0o755);
    writeFileSync(
      config ?? '',
      `namespace: tkr-system
fencers: { slow: { driver: agent, program: ${program}, parameters: { plug: "{name}" } } }
policies: [{ name: all, nodes: { all: true }, fencing: { ladder: [{ fencer: slow }] } }]
`,
    );
    await using command = runCommand(['check', '--kubeconfig', join(folder, 'alice'), '-c', config ?? '']);
    await vi.waitFor(
      () => expect(existsSync(pid ?? '') && readFileSync(pid ?? '', 'utf8')).toMatch(/\d\n/),
      20_000,
    );
    const { code } = await command.kill('SIGINT');
    expect({ code, stderr: command.stderr }).toEqual({ code: 130, stderr: 'liberator: interrupted\n' });
    await vi.waitFor(() => expect(isRunning(Number(readFileSync(pid ?? '', 'utf8')))).toBe(false));
  });
});

/** One that has ended and that nobody has asked about yet does not. */
function isRunning(pid: number): boolean {
  try {
    return !/[)] Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

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
