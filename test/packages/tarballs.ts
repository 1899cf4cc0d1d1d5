// Builds and packs the public packages as a release would, in a folder of its own: the working tree stays untouched.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'tsup';
import builds from '../../tsup.config.ts';

const execute = promisify(execFile);
const workspace = fileURLToPath(new URL('../../', import.meta.url));

export const publicPackages = ['core', 'simulator'] as const;

/** A packed package. */
export interface Tarball {
  readonly name: string;
  readonly version: string;
  /** Of the tarball. */
  readonly path: string;
  /** Paths inside the package. */
  readonly files: readonly string[];
  /** What its package.json says. */
  readonly manifest: Manifest;
}

/** The parts of a package.json that matter here. */
export interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly engines?: Readonly<Record<string, string>>;
}

export function packAll(directory: string): Promise<readonly Tarball[]> {
  return Promise.all(publicPackages.map((name) => pack(name, directory)));
}

async function pack(folder: string, directory: string): Promise<Tarball> {
  const source = join(workspace, 'packages', folder);
  const stage = join(directory, 'stage', folder);
  mkdirSync(stage, { recursive: true });
  for (const part of ['package.json', 'README.md', 'LICENSE', 'src']) {
    cpSync(join(source, part), join(stage, part), { recursive: true });
  }
  const config = builds.find(({ name }) => name === folder);
  if (config === undefined)
    throw new RangeError(`expected a build named ${folder} in tsup.config.ts, found none`);
  await build({ ...config, config: false, outDir: join(stage, 'dist'), silent: true });

  const { stdout } = await execute('npm', ['pack', '--json', '--pack-destination', directory], {
    cwd: stage,
  });
  const [packed] = JSON.parse(stdout) as {
    name: string;
    version: string;
    filename: string;
    files: { path: string }[];
  }[];
  if (packed === undefined) throw new TypeError(`expected npm pack to say what it packed, found ${stdout}`);
  return {
    name: packed.name,
    version: packed.version,
    path: join(directory, packed.filename),
    files: packed.files.map(({ path }) => path),
    manifest: JSON.parse(readFileSync(join(stage, 'package.json'), 'utf8')) as Manifest,
  };
}
