// How an owner turns its template into a pod, and how it tells its own pods from others'.
import { createHash } from 'node:crypto';
import type { ControllerClient } from './controller-client.ts';
import type {
  KubernetesObject,
  LabelSelector,
  Pod,
  PodTemplate,
  SelectorRequirement,
} from './wire-objects.ts';

/** A reference that makes `owner` the controller of what carries it. */
export function controlledBy(owner: KubernetesObject): object {
  const { apiVersion, kind, metadata } = owner;
  return {
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** The owner reference of whoever controls the object. */
export function controllerOf(
  object: KubernetesObject,
): { readonly kind: string; readonly name: string; readonly uid: string } | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** The pods that `owner` controls, by name. */
export function podsOf(client: ControllerClient, owner: KubernetesObject): readonly Pod[] {
  const { namespace, uid } = owner.metadata;
  const pods = client.list('pods', namespace === undefined ? {} : { namespace });
  return pods.filter((pod) => controllerOf(pod)?.uid === uid);
}

/** A pod out of a template, with what the owner adds. */
export function podFrom(
  template: PodTemplate | undefined,
  owner: KubernetesObject,
  more: { readonly metadata: object; readonly labels?: object; readonly spec?: object },
): object {
  const { annotations, labels } = template?.metadata ?? {};
  return {
    metadata: {
      ...more.metadata,
      namespace: owner.metadata.namespace,
      labels: { ...labels, ...more.labels },
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [controlledBy(owner)],
    },
    spec: { ...template?.spec, ...more.spec },
  };
}

/** A short text that differs whenever the templates do, of letters that a name may have. */
export function templateHash(template: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(template ?? null))
    .digest('hex')
    .slice(0, 10);
}

/** Whether labels fit a selector. No selector selects nothing; an empty one everything. */
export function selects(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>> = {},
): boolean {
  if (selector === undefined) return false;
  const exact = Object.entries(selector.matchLabels ?? {});
  return (
    exact.every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every((requirement) => meets(requirement, labels))
  );
}

/** Whether labels meet one requirement of a selector, of a label selector's kind or of a node selector's. */
export function meets(
  { key, operator, values = [] }: SelectorRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}
