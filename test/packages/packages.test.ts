// The packages as their users get them: packed, installed in an empty project, compiled against and run.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, installTarballs, type Program, run } from './empty-project.ts';
import { packAll, publicPackages, type Tarball } from './tarballs.ts';

const source = fileURLToPath(new URL('embedding.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'liberator-packages-'));
const project = join(directory, 'project');
let tarballs: readonly Tarball[] = [];

beforeAll(async () => {
  tarballs = await packAll(directory);
  await installTarballs(project, tarballs);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the packed packages', () => {
  it('carry the build, its sources, a README and the licence, and no tests', () => {
    for (const { files } of tarballs) {
      expect(files).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'src/index.ts']));
      expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'package.json']));
      expect(files.filter((file) => /\.test\.ts$|\/testing\//.test(file))).toEqual([]);
    }
  });

  it('load no Kubernetes client for the rooms that can be had by themselves', () => {
    const dist = join(project, 'node_modules/@liberator/core/dist');
    expect(importsOf(join(dist, 'election.js'))).toEqual([]);
    expect(importsOf(join(dist, 'policy.js'))).toEqual([]);
    expect(importsOf(join(dist, 'index.js'))).toContain('@kubernetes/client-node');
  });

  it.each([...publicPackages, 'agent'])('carry the licence of the project (%s)', (name) => {
    const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    expect(text(`packages/${name}/LICENSE`)).toBe(text('LICENSE'));
  });
});

/** What a built file imports of other packages, itself or through files of its own. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  const sources = [...text.matchAll(/^(?:import|export) [^;]*?from '([^']+)';$/gm)].map(
    ([, source = '']) => source,
  );
  return sources.flatMap((source) =>
    source.startsWith('.') ? importsOf(join(file, '..', source)) : [source],
  );
}

describe.concurrent('a program that embeds them', () => {
  it.each(['module', 'commonjs'] as const)('type-checks and runs as %s', async (type) => {
    const program: Program = { directory: join(project, type), source, type };
    await compile(program, 'nodenext');
    const built = readFileSync(join(program.directory, 'main.js'), 'utf8');
    expect(built.includes('require("@liberator/core")')).toBe(type === 'commonjs');
    const told = await run(program);
    expect(told).toMatchObject({ result: 'recovered', moved: true, oneElector: true });
    expect(told).toHaveProperty('took', (told as { crashed: string }).crashed);
    expect(told).toHaveProperty('guards', expect.arrayContaining(['budget', 'not-on-node-3']));
  });

  it('type-checks for bundlers', async () => {
    await compile({ directory: join(project, 'bundler'), source, type: 'module' }, 'bundler');
  });
});
