// Whoever installs without Helm gets the same: each file is what the chart renders to now, and all of them agree.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Manifest, parseManifests } from './chart.ts';
import { deployFolder, renderManifests } from './manifests.ts';
import { type DeployTools, findTools } from './tools.ts';

const read = (path: string): string => readFileSync(join(deployFolder, path), 'utf8');
const byName = (manifests: readonly Manifest[]): Record<string, Manifest> =>
  Object.fromEntries(
    manifests.map((one) => [`${one.kind} ${one.metadata.namespace ?? ''}/${one.metadata.name}`, one]),
  );

describe('the manifests that come with the agent', () => {
  let tools: DeployTools;
  beforeAll(async () => {
    tools = await findTools();
  });

  it('are what the chart renders to; if not: npm run manifests', async () => {
    const rendered = await renderManifests(tools);
    const files = readdirSync(deployFolder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(deployFolder.length + 1));
    expect(files.toSorted()).toEqual([...rendered.keys()].toSorted());
    for (const [path, text] of rendered) expect(read(path), path).toBe(text);
  });

  it('say the same in one file as in a kustomize base', async () => {
    const plain = parseManifests(read('install.yaml'));
    const built = parseManifests(await tools.kustomize('build', join(deployFolder, 'base')));
    expect(plain.length).toBeGreaterThan(10);
    expect(byName(built)).toEqual(byName(plain));
    expect(Object.keys(byName(plain))).toHaveLength(plain.length);
  });

  it('create the namespace before anything that lives in it', () => {
    const kinds = parseManifests(read('install.yaml')).map(({ kind }) => kind);
    expect(kinds[0]).toBe('Namespace');
  });
});
