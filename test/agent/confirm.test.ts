// `liberator confirm` as somebody types it, on a simulated cluster, with no more rights than the documentation gives.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../processes/agent-process.ts';
import { SimulatedCluster, withHuman } from './simulated-cluster.ts';

let cluster: SimulatedCluster;
beforeAll(async () => {
  cluster = await SimulatedCluster.start();
  await cluster.startAgents(withHuman);
});
afterAll(() => cluster[Symbol.asyncDispose]());

async function type(
  line: string,
  user = 'alice',
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const args = [...line.split(' '), '--namespace', 'liberator', '--kubeconfig', cluster.kubeconfig(user)];
  const command = runCommand(args);
  const { code } = await command.exit;
  return { code, stdout: command.entries.map(({ msg }) => msg).join('\n'), stderr: command.stderr };
}

describe('somebody who vouches for a death', () => {
  it('is told that there is none, as long as there is none', async () => {
    const node = cluster.databaseNode();
    await cluster.until('a status', () => cluster.status()?.counts.alive === 4);
    const [alive, nowhere] = await Promise.all([
      type(`confirm ${node} --yes`),
      type('confirm nowhere --yes'),
    ]);
    expect(alive).toMatchObject({
      code: 1,
      stderr: `liberator: ${node} is alive: there is no death to confirm\n`,
    });
    expect(nowhere).toMatchObject({
      code: 1,
      stderr: 'liberator: there is no node nowhere, and no takeover of one is under way\n',
    });
    expect(cluster.node(node)?.metadata.annotations ?? {}).not.toHaveProperty([
      'liberator.dev/confirmed-dead',
    ]);
  });

  it('is shown what it is about, asked, and heard; an old word is told and replaced', async () => {
    const node = cluster.databaseNode();
    const volume = cluster.databaseVolume();
    await cluster.crash(node);
    await cluster.until('its takeover to wait for a human', () =>
      cluster.records().some(({ steps }) => steps.fence?.detail !== undefined),
    );
    const [record] = cluster.records();
    expect(record?.steps.fence?.detail).toContain(
      `liberator confirm ${node}, or kubectl annotate --overwrite node`,
    );

    cluster.confirmDead(node, 'an-old-one');
    await cluster.until('the status to tell that the word is of another death', () => {
      const seen = cluster.status()?.nodes.find(({ name }) => name === node);
      return seen?.ignoredConfirmation?.expected === record?.deathId;
    });
    const leader = await cluster.leader();
    await leader.waitFor(({ event, names }) => event === 'confirmation' && names === 'an-old-one');
    expect((await type(`explain ${node}`)).stdout).toMatch(
      /confirmation +liberator\.dev\/confirmed-dead on it names an-old-one/,
    );

    const unasked = await type(`confirm ${node}`);
    expect(unasked).toMatchObject({
      code: 2,
      stderr: 'liberator: expected --yes, since there is no terminal to ask on; nothing was written\n',
    });
    expect(unasked.stdout).toMatch(new RegExp(`^ {2}death +${record?.deathId}$`, 'm'));
    expect(unasked.stdout).toMatch(
      /^ {2}evidence +unreachable: Lease not renewed for \d+s,.* host silent to/m,
    );
    expect(unasked.stdout).toMatch(/^ {2}from here +its host is silent$/m);
    expect(unasked.stdout).toMatch(new RegExp(`^ {2}takeover +${record?.id} is under way`, 'm'));
    expect(unasked.stdout).toMatch(/^ {2}replaced +.* names an-old-one, which is another death$/m);
    expect(unasked.stdout).toMatch(
      new RegExp(`^default/database-0 +StatefulSet database +data-database-0: ${volume}$`, 'm'),
    );
    expect(cluster.node(node)?.metadata.annotations).toMatchObject({
      'liberator.dev/confirmed-dead': 'an-old-one',
    });

    const stranger = await type(`confirm ${node} --yes`, 'stranger');
    expect(stranger.code).toBe(1);
    expect(stranger.stderr).toContain('not allowed to');

    const heard = await type(`confirm ${node} --yes`);
    expect(heard).toMatchObject({ code: 0, stderr: '' });
    expect(heard.stdout).toContain(
      `\nwritten: liberator.dev/confirmed-dead=${record?.deathId}\ntakeover ${record?.id} of ${node} goes on: `,
    );
    const over = await cluster.recovered(node);
    expect(over).toMatchObject({
      result: 'recovered',
      proof: 'confirmed-by-human',
      confirmedBy: expect.stringMatching(/./),
    });
  });

  it('is refused while the host answers, unless it is said to be somebody else', async () => {
    const node = cluster.databaseNode();
    await cluster.crash(node);
    cluster.answerAgain(node);
    await cluster.until('the leader to hear the host', () => {
      const seen = cluster.status()?.nodes.find(({ name }) => name === node);
      return seen?.hostUp === true && seen.decision !== undefined;
    });
    const refused = await type(`confirm ${node} --yes`);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      new RegExp(`^liberator: ${node} answers to a knock from here: its machine is up`),
    );
    expect(cluster.node(node)?.metadata.annotations ?? {}).not.toHaveProperty([
      'liberator.dev/confirmed-dead',
    ]);
    expect(await type(`confirm ${node} --yes --although-it-answers`)).toMatchObject({ code: 0 });
    await cluster.until('it to be taken over', () =>
      cluster.records().some(({ node: { name }, confirmedBy, result }) => {
        return name === node && confirmedBy !== undefined && result === 'recovered';
      }),
    );
  });
});
