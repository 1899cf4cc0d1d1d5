// There is no container engine here, so the Dockerfile's own steps are taken in a folder, and what they make is started the
// way that a container would: by nobody in particular, in an empty folder, where nothing can be written.
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Simulator } from '@liberator/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { AgentProcess } from '../processes/agent-process.ts';
import { readDockerfile, type Step, wholeStage } from './dockerfile.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const manifestOf = (path: string): Record<string, Record<string, string>> & { version: string } =>
  JSON.parse(read(join(path, 'package.json')));
const stages = readDockerfile(read('packages/agent/Dockerfile'));
const build = stages.find(({ name }) => name === 'build');
const image = stages.at(-1);
const stepsOfImage = (name: string | undefined): readonly Step[] => {
  const stage = name === undefined ? image : stages.find((one) => one.name === name);
  return stage === undefined ? [] : wholeStage(stages, stage);
};

/** What the image sets. */
const environment = Object.fromEntries(
  stepsOfImage(undefined)
    .filter(({ instruction }) => instruction === 'ENV')
    .flatMap(({ text }) => text.split(' ').map((pair) => pair.split('=', 2) as [string, string])),
);

const nobody = 65_532;
const asRoot = process.getuid?.() === 0;

let folder: string;
/** What the image has in /opt/liberator. */
let opt: string;
let empty: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'liberator-image-'));
  const workspace = join(folder, 'build');
  opt = join(folder, 'opt');
  empty = join(folder, 'empty');
  for (const { instruction, text } of build?.steps ?? []) {
    if (instruction === 'COPY') copy(text.split(' '), workspace);
    if (instruction === 'RUN' && text.startsWith('npm ci')) linkPackages(workspace);
    else if (instruction === 'RUN') execFileSync('sh', ['-c', text], { cwd: workspace, stdio: 'pipe' });
  }
  cpSync(join(workspace, 'packages/agent/dist/bundle'), opt, { recursive: true });
  mkdirSync(empty);
  for (const path of [folder, opt, empty]) chmodSync(path, 0o555);
}, 120_000);

afterAll(() => {
  chmodSync(folder, 0o755);
  rmSync(folder, { recursive: true, force: true });
});

/** `COPY`, with sources from this repository. */
function copy(words: readonly string[], into: string): void {
  const sources = words.slice(0, -1);
  const target = words.at(-1) ?? '';
  for (const source of sources) {
    const to = target.endsWith('/') ? join(into, target, basename(source)) : join(into, target);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(root, source), to, {
      recursive: true,
      filter: (path) => !/\/(node_modules|dist)$|\.test\.ts$/.test(path),
    });
  }
}

/** As `npm ci` would have it, without fetching anything: our own packages are those that were copied. */
function linkPackages(workspace: string): void {
  const ours = '@liberator';
  const modules = join(workspace, 'node_modules');
  mkdirSync(join(modules, ours), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')).filter((entry) => entry !== ours)) {
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  for (const name of ['core', 'agent'])
    symlinkSync(join(workspace, 'packages', name), join(modules, ours, name));
}

const stepsOf = (instruction: string, name?: string): readonly string[] =>
  stepsOfImage(name)
    .filter((step) => step.instruction === instruction)
    .map(({ text }) => text);

/** How the image starts the agent. */
function entrypoint(): {
  readonly program: string;
  readonly flags: readonly string[];
  readonly script: string;
} {
  const [program = '', ...rest] = JSON.parse(stepsOf('ENTRYPOINT').at(-1) ?? '[]') as readonly string[];
  return { program, flags: rest.slice(0, -1), script: rest.at(-1) ?? '' };
}

function start(...args: readonly string[]): AgentProcess {
  const child = spawn(process.execPath, [...entrypoint().flags, join(opt, 'liberator.mjs'), ...args], {
    cwd: empty,
    env: { ...environment, PATH: '/usr/bin:/bin', POD_NAME: 'liberator-abc' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(asRoot && { uid: nobody, gid: nobody }),
  });
  return new AgentProcess(child);
}

describe('the image', () => {
  it('is made from what its own steps copy, and holds one program and the licences of what is in it', () => {
    expect(readdirSync(opt).toSorted()).toEqual(['LICENSES.txt', 'liberator.mjs']);
    const licences = readFileSync(join(opt, 'LICENSES.txt'), 'utf8');
    for (const name of Object.keys(manifestOf('packages/agent')['dependencies'] ?? {})) {
      if (!name.startsWith('@liberator/')) expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
    expect(licences).toContain('Apache License');
  });

  it('runs on the Node.js that the tests run on, as a user with a number, and says what it is', () => {
    const major = manifestOf('.')['devDependencies']?.['node']?.match(/\d+/)?.[0];
    const bases = stages.map(({ image: base }) => base).filter((base) => base.startsWith('node:'));
    expect(bases).toHaveLength(2);
    for (const base of bases) expect(base).toMatch(new RegExp(`^node:${major}-.+-slim$`));
    expect(stepsOf('USER')).toEqual([`${nobody}:${nobody}`]);
    expect(stepsOf('RUN')).toEqual([]);
    expect(stepsOf('LABEL')[0]).toMatch(/title="Liberator".*licenses="Apache-2.0"/);
    expect(entrypoint()).toMatchObject({ program: 'node', script: '/opt/liberator/liberator.mjs' });
  });

  it('has a second one, with fence agents, that is the same otherwise', () => {
    const agents = 'with-fence-agents';
    expect(image?.name).toBeUndefined();
    expect(stepsOf('COPY', agents)).toEqual(stepsOf('COPY'));
    expect(stepsOf('ENV', agents)).toEqual(stepsOf('ENV'));
    expect(stepsOf('LABEL', agents)).toEqual(stepsOf('LABEL'));
    const [installs = '', ...more] = stepsOf('RUN', agents);
    expect(more).toEqual([]);
    expect(installs).toMatch(
      / --no-install-recommends fence-agents ipmitool python3-openshift tini && rm -rf \/var\/lib\/apt\/lists/,
    );
    expect(stepsOf('USER', agents).at(-1)).toBe(`${nobody}:${nobody}`);
    const [init, dashes, ...same] = JSON.parse(stepsOf('ENTRYPOINT', agents).at(-1) ?? '[]') as string[];
    expect([init, dashes]).toEqual(['tini', '--']);
    expect(JSON.stringify(same)).toBe(JSON.stringify(JSON.parse(stepsOf('ENTRYPOINT').at(-1) ?? '[]')));
    expect(stepsOf('CMD', agents).at(-1)).toBe(stepsOf('CMD').at(-1));
  });

  it('can copy all that it copies: nothing of it is ignored', () => {
    const [, ...allowed] = read('packages/agent/Dockerfile.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('*') || line.startsWith('!'));
    const roots = allowed.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const sources = stages
      .flatMap(({ steps }) => steps)
      .filter(({ instruction, text }) => instruction === 'COPY' && !text.startsWith('--from'))
      .flatMap(({ text }) => text.split(' ').slice(0, -1));
    expect(sources.length).toBeGreaterThan(5);
    for (const source of sources) {
      expect(roots).toContain(source.split('/')[0]);
      expect(statSync(join(root, source))).toBeDefined();
    }
  });
});

describe('the bundled agent', () => {
  it('tells its version and explains itself', async () => {
    const version = start('--version');
    expect(await version.exit).toEqual({ code: 0, signal: null });
    expect(version.entries.map(({ msg }) => msg)).toEqual([manifestOf('packages/agent').version]);
    const help = start('run', '--help');
    expect(await help.exit).toEqual({ code: 0, signal: null });
    expect(help.entries[0]?.msg).toMatch(/^Usage: liberator run /);
    expect(version.stderr + help.stderr).toBe('');
  });

  it('runs: it leads a cluster, answers its probes, hands over when asked to, and leaves nothing behind', async () => {
    await using simulator = await Simulator.start({ http: true, nodes: 3 });
    const files = mkdtempSync(join(tmpdir(), 'liberator-files-'));
    try {
      chmodSync(files, 0o755);
      const config = join(files, 'liberator.yaml');
      const kubeconfig = join(files, 'kubeconfig');
      writeFileSync(
        config,
        stringify({
          namespace: 'default',
          http: { address: '127.0.0.1', port: 0 },
          policies: [{ name: 'all', nodes: { all: true } }],
        }),
      );
      writeFileSync(kubeconfig, simulator.kubeconfig());
      const startedAt = performance.now();
      await using running = start('run', '--config', config, '--kubeconfig', kubeconfig);
      const url = await running.url();
      const listeningMs = performance.now() - startedAt;
      const led = await running.waitFor(({ leading }) => leading === true);
      const leadingMs = performance.now() - startedAt;
      expect(led['identity']).toMatch(/^liberator-abc_/);
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      const status = readFileSync(`/proc/${running.pid}/status`, 'utf8');
      if (asRoot) expect(status).toMatch(new RegExp(`^Uid:\\t${nobody}\\t${nobody}\\t`, 'm'));
      const rssMiB = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
      const sizeMiB = statSync(join(opt, 'liberator.mjs')).size / 1024 / 1024;
      console.log(
        `bundle ${sizeMiB.toFixed(1)} MiB, listening after ${Math.round(listeningMs)} ms, ` +
          `leading after ${Math.round(leadingMs)} ms, RSS ${Math.round(rssMiB)} MiB`,
      );
      // 2.3 MiB with all drivers of fencers.
      expect(sizeMiB).toBeLessThan(2.5);
      // 74 MiB on Node.js 24.21 right after it began to lead, without TLS.
      expect(rssMiB).toBeLessThan(95);
      expect(await running.kill('SIGTERM')).toEqual({ code: 0, signal: null });
      expect(running.stderr).toBe('');
      expect(readdirSync(empty)).toEqual([]);
    } finally {
      rmSync(files, { recursive: true, force: true });
    }
  });
});
