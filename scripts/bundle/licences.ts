// The licences of everything that a bundle carries along: most of them ask to be handed on with the code.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly texts: readonly string[];
}

/**
 * One text about every npm package that some file of a bundle came from.
 *
 * @param inputs paths of those files
 * @throws Error naming a package that says nothing about its licence
 */
export function licencesOf(inputs: readonly string[]): string {
  const folders = new Set(inputs.flatMap((input) => packageFolder(resolve(input)) ?? []));
  const packages = [...folders].map(readPackage).toSorted((a, b) => a.name.localeCompare(b.name));
  const parts = packages.map(({ name, version, license, texts }) =>
    [`${name} ${version} (${license})`, ...texts].join('\n\n'),
  );
  return `This program contains the following software.\n\n${parts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

/** The folder of the npm package that a file belongs to; undefined for a file of our own. */
function packageFolder(file: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

function readPackage(folder: string): Package {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: string;
  };
  if (license === undefined) throw new Error(`expected ${folder}/package.json to name a licence, found none`);
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|notice)/i.test(file))
    .map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return { name, version, license, texts };
}
