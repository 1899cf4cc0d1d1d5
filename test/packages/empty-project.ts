// A project with nothing in it but the packed packages and what they depend on, installed by npm.
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Manifest, Tarball } from './tarballs.ts';

const execute = promisify(execFile);
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');

/** An entry of a package-lock.json. */
interface Locked extends Manifest {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

type Lock = Readonly<Record<string, Locked>>;

/**
 * Installs tarballs at the versions of everything else that this workspace has locked: what npm fetched for it is in
 * npm's cache, so nothing is asked of a registry, and what a package uses without declaring it is not there.
 */
export async function installTarballs(directory: string, tarballs: readonly Tarball[]): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const dependencies = Object.fromEntries(tarballs.map(({ name, path }) => [name, `file:${path}`]));
  const own = Object.fromEntries(
    tarballs.map(({ name, path, manifest }) => [
      `node_modules/${name}`,
      { version: manifest.version, resolved: `file:${path}`, dependencies: manifest.dependencies },
    ]),
  );
  const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
    packages: Lock;
  };
  const names = tarballs.flatMap(({ manifest }) => Object.keys(manifest.dependencies ?? {}));
  const packages = { '': { dependencies }, ...closure(lock.packages, names), ...own };
  const project = { name: 'empty', version: '0.0.0', private: true };
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ ...project, dependencies }));
  writeFileSync(
    join(directory, 'package-lock.json'),
    JSON.stringify({ ...project, lockfileVersion: 3, requires: true, packages }),
  );
  await execute('npm', ['ci', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: directory,
  });
}

/** Whatever these packages need, found as Node.js would find it: in the nearest node_modules upwards. */
function closure(lock: Lock, names: readonly string[]): Lock {
  const found = new Map<string, Locked>();
  const take = (name: string, from: string): void => {
    const path = nearest(lock, name, from);
    const entry = path === undefined ? undefined : lock[path];
    if (path === undefined || entry === undefined || entry.link === true || found.has(path)) return;
    found.set(path, entry);
    for (const next of Object.keys({ ...entry.dependencies, ...entry.peerDependencies })) take(next, path);
  };
  for (const name of names) take(name, '');
  return Object.fromEntries(found);
}

function nearest(lock: Lock, name: string, from: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (path in lock) return path;
    if (folder === '') return undefined;
  }
}

/** A folder in the project whose `.js` files belong to one module system. */
export interface Program {
  readonly directory: string;
  readonly source: string;
  readonly type: 'module' | 'commonjs';
}

/** Type-checks as strictly as it goes, and writes JavaScript beside the source. */
export async function compile(
  { directory, source, type }: Program,
  resolution: 'nodenext' | 'bundler',
): Promise<void> {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, type }));
  copyFileSync(source, join(directory, 'main.ts'));
  const compilerOptions = {
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable'],
    module: resolution === 'nodenext' ? 'nodenext' : 'esnext',
    moduleResolution: resolution,
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    // client-node's own declarations use types of ws, which it does not bring.
    skipLibCheck: true,
    noEmit: resolution === 'bundler',
  };
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
  await execute(process.execPath, [compiler, '--project', directory]).catch((error: { stdout?: string }) => {
    throw new Error(`expected the embedding to type-check, found: ${error.stdout}`, { cause: error });
  });
}

/** Returns what it printed. @throws when it fails, or complains on stderr. */
export async function run({ directory }: Program): Promise<unknown> {
  const { stdout, stderr } = await execute(process.execPath, [join(directory, 'main.js')]);
  if (stderr !== '') throw new Error(`expected nothing on stderr, found: ${stderr}`);
  return JSON.parse(stdout);
}
