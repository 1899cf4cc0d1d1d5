// From what the chart renders to, to the files for those who don't use Helm: a kustomize base, and all of it in one file.
import { dirname, join } from 'node:path';
import { renderChart } from './chart.ts';
import type { DeployTools } from './tools.ts';

export const deployFolder: string = join(dirname(dirname(import.meta.dirname)), 'packages/agent/deploy');

const origin = '# Rendered from the chart by `npm run manifests`: change it there.';
const sourceLine = /^# Source: liberator\/templates\/(.+)\.yaml\n/;

/** The text of each file, by its path in the folder of manifests. */
export async function renderManifests(tools: DeployTools): Promise<ReadonlyMap<string, string>> {
  // Helm would create the namespace; `kubectl apply` has to be told.
  const rendered = await renderChart({ set: { createNamespace: 'true' }, tools });
  const documents = rendered
    .split(/^---\n/m)
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => `${text}\n`);
  const byTemplate = new Map<string, string[]>();
  const bodies: string[] = [];
  for (const document of documents) {
    const template = sourceLine.exec(document)?.[1];
    if (template === undefined) throw new Error(`expected the source of each object, found:\n${document}`);
    const body = document.replace(sourceLine, '');
    bodies.push(body);
    byTemplate.set(template, [...(byTemplate.get(template) ?? []), body]);
  }
  const file = (parts: readonly string[]): string => `${origin}\n${parts.join('---\n')}`;
  return new Map([
    ['install.yaml', file(bodies)],
    ['base/kustomization.yaml', file([kustomization([...byTemplate.keys()])])],
    ...[...byTemplate].map(([template, parts]) => [`base/${template}.yaml`, file(parts)] as const),
  ]);
}

function kustomization(templates: readonly string[]): string {
  return [
    'apiVersion: kustomize.config.k8s.io/v1beta1',
    'kind: Kustomization',
    'resources:',
    ...templates.map((template) => `  - ${template}.yaml`),
    '',
  ].join('\n');
}
