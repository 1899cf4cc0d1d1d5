// What a piece of YAML in a document is, by what stands in it.
import { parseAllDocuments } from 'yaml';
import { keysAt } from '../../packages/agent/src/config/schema.ts';
import type { Manifest } from '../../packages/examples/src/demo/cluster/create-objects.ts';

export type YamlKind =
  | { readonly kind: 'manifests'; readonly objects: readonly Manifest[] }
  /** A configuration of the agent, or the part of one that is being talked about. */
  | { readonly kind: 'configuration' }
  /** Values for the Helm chart, with the agent's configuration under `config`. */
  | { readonly kind: 'values'; readonly values: Readonly<Record<string, unknown>> }
  /** A file of Prometheus' alerting rules. */
  | { readonly kind: 'rules'; readonly groups: readonly RuleGroup[] };

interface RuleGroup {
  readonly name: string;
  readonly rules: readonly {
    readonly alert: string;
    readonly expr: string;
    readonly for?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

const configurationKeys = new Set(keysAt([], {}));

/** @throws Error for what is neither of them, or isn't YAML. */
export function kindOfYaml(text: string): YamlKind {
  const documents = parseAllDocuments(text).map((document) => {
    const [problem] = document.errors;
    if (problem !== undefined) throw problem;
    return document.toJS() as Readonly<Record<string, unknown>>;
  });
  const keys = documents.flatMap((document) => Object.keys(document ?? {}));
  if (keys.length > 0 && documents.every((one) => 'apiVersion' in one && 'kind' in one)) {
    return { kind: 'manifests', objects: documents as unknown as readonly Manifest[] };
  }
  if (keys.length === 1 && keys[0] === 'groups') {
    return { kind: 'rules', groups: documents[0]?.['groups'] as readonly RuleGroup[] };
  }
  const [values = {}] = documents;
  if (documents.length === 1 && 'config' in values) return { kind: 'values', values };
  if (documents.length === 1 && keys.some((key) => configurationKeys.has(key)))
    return { kind: 'configuration' };
  throw new Error(
    'expected manifests, a configuration of the agent, values of the chart or Prometheus rules, ' +
      `found the keys ${keys.join(', ') || '(none)'}`,
  );
}
