// What the chart renders to, as text for people and as objects for tests.
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type DeployTools, findTools } from './tools.ts';

export const chart: string = join(import.meta.dirname, '../../packages/agent/chart');

/** Any Kubernetes object, as far as tests look at all of them alike. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export interface RenderOptions {
  /** As for `helm template --set`. */
  readonly set?: Readonly<Record<string, string>>;
  /** As for `helm template --values`. */
  readonly valueFiles?: readonly string[];
  /** More arguments. */
  readonly args?: readonly string[];
  readonly tools?: DeployTools;
}

/** @throws Error with what Helm says when it refuses the values */
export async function renderChart(options: RenderOptions = {}): Promise<string> {
  const { set = {}, valueFiles = [], args = [] } = options;
  const { helm } = options.tools ?? (await findTools());
  const values = [
    ...valueFiles.flatMap((file) => ['--values', file]),
    ...Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
  ];
  return helm('template', 'liberator', chart, ...values, ...args);
}

export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).flatMap((document) => (document.toJS() as Manifest | null) ?? []);
}

/** The one object of that kind, and of that name where a kind alone isn't enough. */
export function pick(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter(
    (one) => one.kind === kind && (name ?? one.metadata.name) === one.metadata.name,
  );
  const [first] = found;
  if (first === undefined || found.length > 1)
    throw new Error(`expected one ${kind} ${name ?? ''}, found ${found.length}`);
  return first;
}
