// Every piece of YAML in a document is taken by whoever is meant to read it: the agent, or an API server.
import { KubeConfig } from '@kubernetes/client-node';
import { Simulator } from '@liberator/simulator';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig } from '../../packages/agent/src/config/read-config.ts';
import { createObjects, type Manifest } from '../../packages/examples/src/demo/cluster/create-objects.ts';
import { fencesIn, type PlacedFence } from '../documents/documents.ts';
import { kindOfYaml } from '../documents/yaml-kinds.ts';
import { isChartValue, pathsOf } from './chart-values.ts';

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

describe('values of the chart in a document', () => {
  const values = pieces.flatMap(({ at, text }) => {
    const piece = kindOfYaml(text);
    return piece.kind === 'values' ? [{ at, values: piece.values }] : [];
  });

  it.each(values)('are values that there are, with a configuration that the agent takes: $at', (piece) => {
    expect(pathsOf(piece.values).filter((path) => !isChartValue(path))).toEqual([]);
    const text = stringify(piece.values['config']);
    expect(() => read({ at: piece.at, text, language: 'yaml', line: 1 })).not.toThrow();
  });

  it('would be found wrong when the chart has none of that name', () => {
    const paths = pathsOf({
      image: { repo: 'x' },
      config: { anything: 1 },
      podLabels: { 'a.b': 'c' },
      replicas: 1,
    });
    expect(paths.filter((path) => !isChartValue(path))).toEqual(['image.repo']);
  });
});

it('has manifests that an API server takes', async () => {
  await using cluster = await Simulator.start({ http: true, nodes: 0 });
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(cluster.kubeconfig());
  for (const { at, text } of pieces) {
    const piece = kindOfYaml(text);
    if (piece.kind !== 'manifests') continue;
    // The simulator has no roles and no custom resources; those are tried by tests in which somebody acts by them.
    const elsewhere = ['rbac.authorization.k8s.io/v1', 'csiaddons.openshift.io/v1alpha1'];
    const objects = piece.objects.filter(({ apiVersion }) => !elsewhere.includes(apiVersion ?? ''));
    const create = createObjects(kubeConfig, objects.map(inNamespace));
    await expect(create, at).resolves.toBeUndefined();
  }
});

/** As kubectl does with what names no namespace. */
function inNamespace(object: Manifest): Manifest {
  return { ...object, metadata: { namespace: 'default', ...object.metadata } };
}
