// Creates Kubernetes objects from manifests, and remembers which ones were not there before.
import { readFileSync } from 'node:fs';
import {
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  loadAllYaml,
} from '@kubernetes/client-node';
import { DemoFailure, sentenceOf } from '../failure.ts';

export type Manifest = KubernetesObject & { readonly [field: string]: unknown };

/** The objects of a YAML file; with a namespace, all of them in that one. */
export function readManifests(path: string, namespace?: string): readonly Manifest[] {
  const objects = loadAllYaml(readFileSync(path, 'utf8')) as Manifest[];
  return namespace === undefined
    ? objects
    : objects.map((object) => ({ ...object, metadata: { ...object.metadata, namespace } }));
}

export function namespaceObject(name: string): Manifest {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

/**
 * Creates what isn't there, one after the other.
 *
 * @param onCreated - Called after each, with what to delete again.
 * @throws DemoFailure when the API server refuses one.
 */
export async function createObjects(
  kubeConfig: KubeConfig,
  objects: readonly Manifest[],
  onCreated: (object: Manifest) => void = () => undefined,
): Promise<void> {
  const api = KubernetesObjectApi.makeApiClient(kubeConfig);
  for (const object of objects) {
    try {
      await api.create(object);
      onCreated(object);
    } catch (error) {
      if (codeOf(error) !== 409) throw failed('create', object, error);
    }
  }
}

/** Deletes objects, the last first. What is gone already is fine. */
export async function deleteObjects(kubeConfig: KubeConfig, objects: readonly Manifest[]): Promise<void> {
  const api = KubernetesObjectApi.makeApiClient(kubeConfig);
  for (const object of objects.toReversed()) {
    try {
      await api.delete(object);
    } catch (error) {
      if (codeOf(error) !== 404) throw failed('delete', object, error);
    }
  }
}

/** Whether it is (still) there. */
export async function exists(kubeConfig: KubeConfig, object: Manifest): Promise<boolean> {
  try {
    const { apiVersion, kind, metadata } = object;
    const { name = '', namespace } = metadata ?? {};
    await KubernetesObjectApi.makeApiClient(kubeConfig).read({
      ...(apiVersion === undefined ? {} : { apiVersion }),
      ...(kind === undefined ? {} : { kind }),
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    });
    return true;
  } catch (error) {
    if (codeOf(error) === 404) return false;
    throw failed('read', object, error);
  }
}

/** The status of an answer, for any of client-node's errors. */
function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function failed(verb: string, { kind, metadata }: Manifest, error: unknown): DemoFailure {
  // client-node's messages carry headers and bodies; what the server said is enough.
  const body = error instanceof Error && 'body' in error ? String(error.body) : sentenceOf(error);
  return new DemoFailure(`could not ${verb} ${kind} ${metadata?.name}: ${serverMessage(body)}`, {
    cause: error,
  });
}

function serverMessage(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    return typeof message === 'string' ? message : body.slice(0, 200);
  } catch {
    return body.slice(0, 200);
  }
}
