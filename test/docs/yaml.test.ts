// Every piece of YAML in a document is taken by whoever is meant to read it: the agent, or an API server.
import { KubeConfig } from '@kubernetes/client-node';
import { Simulator } from '@liberator/simulator';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig } from '../../packages/agent/src/config/read-config.ts';
import { createObjects } from '../../packages/examples/src/demo/cluster/create-objects.ts';
import { fencesIn, type PlacedFence } from './documents.ts';
import { kindOfYaml } from './yaml-kinds.ts';

const pieces = fencesIn('yaml');

/** A part of a configuration is read as if everything else were as it is by default. */
const around = { policies: [{ name: 'others', nodes: { all: true } }] };

function read({ at, text }: PlacedFence): void {
  const whole = /^policies:/m.test(text) ? text : `${text}\n${stringify(around)}`;
  const { warnings } = parseConfig(whole, at, { namespace: 'tkr-system', identity: 'reader' });
  if (warnings.length > 0) throw new Error(warnings.join('\n'));
}

describe('a configuration in a document', () => {
  const configurations = pieces.filter(({ text }) => kindOfYaml(text).kind === 'configuration');

  it.each(configurations)('is one that the agent takes: $at', (piece) => {
    expect(() => read(piece)).not.toThrow();
  });

  it('would be refused with a key that there is none of', () => {
    expect(configurations.length).toBeGreaterThan(0);
    const text = 'returning: { dwel: 5m }';
    expect(kindOfYaml(text).kind).toBe('configuration');
    expect(() => read({ at: 'here', text, language: 'yaml', line: 1 })).toThrow('did you mean dwell?');
  });
});

it('has manifests that an API server takes', async () => {
  await using cluster = await Simulator.start({ http: true, nodes: 0 });
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(cluster.kubeconfig());
  for (const { at, text } of pieces) {
    const piece = kindOfYaml(text);
    if (piece.kind !== 'manifests') continue;
    const create = createObjects(kubeConfig, piece.objects.map(inNamespace));
    await expect(create, at).resolves.toBeUndefined();
  }
});

/** As kubectl does with what names no namespace. */
function inNamespace<T extends { readonly metadata: object }>(object: T): T {
  return { ...object, metadata: { namespace: 'default', ...object.metadata } };
}
