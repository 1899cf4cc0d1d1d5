// `liberator fence` as somebody types it: on a simulated cluster, with a management controller on a real socket behind its nodes.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { type RedfishBmc, resources, Simulator, startRedfishBmc } from '@liberator/simulator';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { whoami } from '../../packages/agent/src/process/whoami.ts';
import { rolesOn } from '../documents/roles.ts';
import { runCommand } from '../processes/agent-process.ts';

const names = ['node-1', 'node-2', 'node-3'] as const;
const uuidOf = (name: string): string => `4c4c4544-0042-3510-8052-b4c04f4e000${name.at(-1)}`;
const main = join(dirname(fileURLToPath(import.meta.url)), '../../packages/agent/src/main.ts');
const password = 'hunter2-is-no-password';

let simulator: Simulator;
let bmc: RedfishBmc;
let folder: string;
let config: string;
const roles = rolesOn('docs/fencing.md');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'liberator-fence-'));
  simulator = await Simulator.start({
    http: true,
    nodes: names.map((name) => ({ name, systemUUID: uuidOf(name) })),
    timings: { speedUp: 10 },
    // Alice may do what the documentation gives to whoever tries fencers, and nothing else.
    authorize: ({ user, verb, group, resource, namespace }) =>
      user !== 'alice' ||
      resource === 'selfsubjectreviews' ||
      roles.some(
        ({ kind, metadata, rules }) =>
          (kind === 'ClusterRole' || metadata.namespace === namespace) &&
          rules.some(
            (rule) =>
              rule.apiGroups.includes(group) &&
              rule.resources.includes(resource) &&
              rule.verbs.includes(verb),
          ),
      ),
  });
  bmc = await startRedfishBmc({
    users: [{ username: 'admin', password }],
    machines: names.map((name) => ({ name: `system-${name}`, uuid: uuidOf(name) })),
  });
  writeFileSync(join(folder, 'username'), 'admin');
  writeFileSync(join(folder, 'password'), password);
  writeFileSync(join(folder, 'alice.kubeconfig'), simulator.kubeconfig({ user: 'alice' }));
  config = configure({});
  await simulator.until(() => names.every((name) => isReady(name)), { limitMs: 20_000 });
});
afterAll(async () => {
  await simulator.stop();
  await bmc.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  bmc.heal();
  for (const name of names) bmc.machine(`system-${name}`).switch('On');
});

function isReady(name: string): boolean {
  const node = simulator.store.find(resources.nodes, undefined, name) as
    | { readonly status?: { readonly conditions?: readonly { type: string; status: string }[] } }
    | undefined;
  return node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

function configure(change: { readonly fencer?: object; readonly ladder?: readonly string[] }): string {
  const path = join(folder, `${crypto.randomUUID()}.yaml`);
  const { fencer = {}, ladder = ['bmc', 'manual'] } = change;
  const text = stringify({
    namespace: 'tkr-system',
    fencers: {
      bmc: {
        driver: 'redfish',
        address: bmc.url,
        username: join(folder, 'username'),
        password: join(folder, 'password'),
        ...fencer,
      },
    },
    policies: [
      {
        name: 'databases',
        nodes: { all: true },
        fencing: { ladder: ladder.map((name) => ({ fencer: name })) },
      },
    ],
  });
  writeFileSync(path, text);
  return path;
}

interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function type(args: readonly string[], file: string = config): Promise<Said> {
  const command = runCommand([
    'fence',
    ...args,
    '-c',
    file,
    '--kubeconfig',
    join(folder, 'alice.kubeconfig'),
  ]);
  const { code } = await command.exit;
  return { code, stdout: command.entries.map(({ msg }) => msg).join('\n'), stderr: command.stderr };
}

/** On a terminal of 80 columns, where somebody answers the question, or presses Ctrl-C when something is written. */
async function onTerminal(
  args: readonly string[],
  answer: {
    readonly to: RegExp;
    readonly with: string;
    readonly interruptOnce?: { readonly after: () => boolean };
  },
): Promise<{ readonly code: number | null; readonly screen: string }> {
  const words = [
    process.execPath,
    '--conditions=@liberator/source',
    main,
    'fence',
    ...args,
    '-c',
    config,
    '--kubeconfig',
    join(folder, 'alice.kubeconfig'),
  ];
  const line = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-qefc', `stty cols 80; ${line}`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  let answered = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    if (answered || !answer.to.test(screen)) return;
    answered = true;
    child.stdin.write(answer.with);
  });
  const interrupting = setInterval(() => {
    if (answer.interruptOnce?.after() !== true) return;
    clearInterval(interrupting);
    child.stdin.write('\u0003');
  }, 20);
  const limit = setTimeout(() => child.kill('SIGKILL'), 40_000);
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  clearInterval(interrupting);
  clearTimeout(limit);
  return { code, screen: stripVTControlCharacters(screen).replaceAll('\r', '') };
}

function events(): readonly { readonly reason: string; readonly message: string; readonly host: string }[] {
  const found = simulator.store.list(resources.events, { namespace: 'default' }) as readonly {
    readonly reason?: string;
    readonly message?: string;
    readonly source?: { readonly host?: string };
  }[];
  return found
    .filter(({ reason = '' }) => reason.endsWith('ByHand'))
    .map(({ reason = '', message = '', source }) => ({ reason, message, host: source?.host ?? '' }));
}

const resets = (): readonly unknown[] => bmc.requests.filter(({ resetType }) => resetType !== undefined);

describe('somebody who asks whether a node could be fenced', () => {
  it('is told what each fencer of its ladder says, with 0, and nothing is changed', async () => {
    const before = resets().length;
    const { code, stdout, stderr } = await type(['node-1', '--check']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^node-1, of policy databases$/m);
    expect(stdout).toMatch(/^bmc +ready +matched +on +\w+ +\S/m);
    expect(stdout).toMatch(/^manual +no-device +- +- +- +a human is asked$/m);
    expect(stdout).toMatch(/^node-1 could be fenced at this moment/m);
    expect(resets()).toHaveLength(before);

    const asJson = await type(['node-1', '--check', '-o', 'json']);
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      version: 1,
      node: 'node-1',
      policy: 'databases',
      ready: true,
      fencers: [{ fencer: 'bmc', outcome: 'ready', machine: 'matched', power: 'on' }, { fencer: 'manual' }],
      missing: [],
    });
  });

  it('is told with 1 that the password is refused, and never reads it', async () => {
    writeFileSync(join(folder, 'wrong'), 'not-the-password-at-all');
    const { code, stdout } = await type(
      ['node-1', '--check'],
      configure({ fencer: { password: join(folder, 'wrong') } }),
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/^bmc +not-ready +unknown/m);
    expect(stdout).toMatch(/^bmc could not fence node-1 at this moment\.$/m);
    expect(stdout).not.toContain('not-the-password-at-all');
  });

  it('is told which file is not on this machine, and where to ask instead', async () => {
    const { code, stdout } = await type(
      ['node-1', '--check'],
      configure({ fencer: { password: '/etc/liberator/bmc/no-such-password' } }),
    );
    expect(code).toBe(1);
    expect(stdout).toContain('/etc/liberator/bmc/no-such-password is not on this machine');
    expect(stdout).toMatch(
      /^ {2}kubectl -n tkr-system exec -it deploy\/liberator -- node liberator\.mjs fence node-1 --check$/m,
    );
  });

  it.each<[string, readonly string[], number, RegExp]>([
    ['nothing is said', ['node-1'], 2, /expected --check, --power-off or --power-on, found none of them/],
    ['two things are', ['node-1', '--check', '--power-off'], 2, /cannot be used with/],
    ['no fencer is named', ['node-1', '--power-off', '--reason', 'test'], 2, /expected --fencer NAME/],
    ['no reason is given', ['node-1', '--power-off', '--fencer', 'bmc'], 2, /expected --reason TEXT/],
    [
      'the reason is empty',
      ['node-1', '--power-off', '--fencer', 'bmc', '--reason', ' '],
      2,
      /expected some words/,
    ],
    [
      'there is no such fencer',
      ['node-1', '--check', '--fencer', 'ipmi'],
      2,
      /expected one of the fencers manual, none, bmc, found "ipmi"/,
    ],
    ['there is no such node', ['nowhere', '--check'], 1, /there is no node nowhere/],
    [
      'there is no such file',
      ['node-1', '--check', '-c', '/no/such/file'],
      2,
      /could not read the configuration/,
    ],
  ])('is told what to do when %s', async (_, args, code, sentence) => {
    const said = args.includes('-c')
      ? await (async (): Promise<Said> => {
          const command = runCommand(['fence', ...args, '--kubeconfig', join(folder, 'alice.kubeconfig')]);
          return { code: (await command.exit).code, stdout: '', stderr: command.stderr };
        })()
      : await type(args);
    expect(said.stderr).toMatch(sentence);
    expect(said.code).toBe(code);
  });
});

const off = ['node-2', '--power-off', '--fencer', 'bmc', '--reason', 'acceptance test of rack 4'] as const;

describe('somebody who has a machine switched off', () => {
  it('is shown what hangs on it and asked for its name; it is switched, and on record before and after', async () => {
    const { code, screen } = await onTerminal(off, { to: /type its name, node-2: /, with: 'node-2\n' });
    expect(screen).toMatch(/^Switching off the machine of node-2$/m);
    expect(screen).toMatch(/^ {2}machine +matched: 4c4c4544/m);
    expect(screen).toMatch(/^switched off, proof powered-off: /m);
    expect(screen).toMatch(/^AT +WHO SAID WHAT$/m);
    for (const line of screen.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(screen).not.toContain(password);
    expect(code).toBe(0);
    expect(bmc.machine('system-node-2').power).toBe('Off');
    expect(bmc.machine('system-node-1').power).toBe('On');
    // The simulator doesn't say who one is to it, so it is whoever is at the keyboard.
    const told = events().filter(({ reason }) => reason === 'FencedByHand');
    expect(told.map(({ host }) => host)).toEqual([whoami(), whoami()]);
    expect(told.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        `${whoami()} switches the machine off with fencer bmc: acceptance test of rack 4`,
        expect.stringContaining(`fencer bmc switched the machine off for ${whoami()}, proof powered-off: `),
      ]),
    );
  });

  it.each([
    ['another name is typed', 'node-1\n', 1, 'not confirmed; nothing was switched'],
    ['Ctrl-C is pressed instead', '\u0003', 130, 'interrupted; nothing was switched'],
  ])('switches nothing when %s', async (_, answer, code, sentence) => {
    const before = resets().length;
    const told = events().length;
    const ended = await onTerminal(off, { to: /type its name, node-2: /, with: answer });
    expect(ended.screen).toContain(sentence);
    expect(ended.code).toBe(code);
    expect(resets()).toHaveLength(before);
    expect(events()).toHaveLength(told);
  });

  it('is told how it stands when Ctrl-C is pressed in the middle', async () => {
    bmc.machine('system-node-2').faults = { stuck: true };
    const before = resets().length;
    const { code, screen } = await onTerminal(off, {
      to: /type its name, node-2: /,
      with: 'node-2\n',
      interruptOnce: { after: () => resets().length > before },
    });
    expect(screen).toMatch(/interrupted: what its device was asked for may still come about/);
    expect(code).toBe(130);
  });

  it('is told that nothing was switched when it is interrupted while the device is still looked at', async () => {
    bmc.faults = { hang: true };
    const before = bmc.requests.length;
    await using command = runCommand([
      'fence',
      ...off,
      '-c',
      config,
      '--kubeconfig',
      join(folder, 'alice.kubeconfig'),
    ]);
    await vi.waitFor(() => expect(bmc.requests.length).toBeGreaterThan(before), 20_000);
    const { code } = await command.kill('SIGINT');
    expect({ code, stderr: command.stderr }).toEqual({
      code: 130,
      stderr: 'liberator: interrupted; nothing was switched\n',
    });
  });

  it('needs a terminal: nothing answers in its place', async () => {
    const before = resets().length;
    const { code, stderr } = await type(off);
    expect(stderr).toMatch(
      /expected a terminal to ask on, and nothing answers in its place; nothing was switched/,
    );
    expect(code).toBe(2);
    expect(resets()).toHaveLength(before);
  });

  it.each<[string, readonly string[], () => string | undefined, RegExp]>([
    [
      'the device has another machine there',
      off,
      () => {
        bmc.machine('system-node-2').faults = { uuid: '4c4c4544-0042-3510-8052-b4c04f4e0009' };
        return undefined;
      },
      /does not say that it would switch the machine of node-2 and no other: nothing was switched/,
    ],
    [
      'the fencer is a human',
      ['node-2', '--power-off', '--fencer', 'manual', '--reason', 'x'],
      () => undefined,
      /does not say that it would switch the machine of node-2 and no other/,
    ],
  ])('is refused when %s', async (_, args, file, sentence) => {
    const before = resets().length;
    const { code, stderr } = await type(args, file() ?? config);
    expect(stderr).toMatch(sentence);
    expect(code).not.toBe(0);
    expect(resets()).toHaveLength(before);
  });
});

it('a machine that was switched off is switched on again', async () => {
  bmc.machine('system-node-3').switch('Off');
  const on = ['node-3', '--power-on', '--fencer', 'bmc', '--reason', 'done'];
  const { code, screen } = await onTerminal(on, { to: /type its name, node-3: /, with: 'node-3\n' });
  expect(screen).toMatch(/^switched on: /m);
  expect(code).toBe(0);
  expect(bmc.machine('system-node-3').power).toBe('On');
  expect(events().at(-1)?.reason).toBe('UnfencedByHand');
});
