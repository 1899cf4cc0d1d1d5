// `npm run manifests`: writes the kustomize base and the plain YAML anew, and removes what the chart has no longer.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deployFolder, renderManifests } from './manifests.ts';
import { findTools } from './tools.ts';

const tools = await findTools({
  onProgress: ({ program, detail }) => process.stderr.write(`${program}: ${detail}\n`),
});
const files = await renderManifests(tools);
mkdirSync(join(deployFolder, 'base'), { recursive: true });
for (const stale of readdirSync(deployFolder, { recursive: true, withFileTypes: true })) {
  if (stale.isFile() && stale.name.endsWith('.yaml')) rmSync(join(stale.parentPath, stale.name));
}
for (const [path, text] of files) {
  writeFileSync(join(deployFolder, path), text);
  process.stdout.write(`packages/agent/deploy/${path}\n`);
}
