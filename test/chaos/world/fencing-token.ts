// The fencing token as the API server checks it: the admission policy that the chart installs, in as many words.
import { type Lease, type Node, outOfServiceTaint, type Taint } from '@liberator/core';
import type { Write } from './writes.ts';

const epochAnnotation = 'liberator.dev/epoch';

interface NodePatch {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string | null>> };
  readonly spec?: { readonly taints?: readonly Taint[] };
}

/** Why the server refuses a replica's write to a Node; undefined when it does not, or has nothing to compare with. */
export function tokenRefusal(
  { kind, method }: Write,
  patch: NodePatch,
  node: Node | undefined,
  lease: Lease | undefined,
): string | undefined {
  const isAboutNode = kind === 'delete-node' || kind === 'change-node' || kind === 'mark-out-of-service';
  if (!isAboutNode || node === undefined || lease === undefined) return undefined;
  const epoch = String(lease.spec?.leaseTransitions ?? 0);
  const old = node.metadata.annotations?.[epochAnnotation] ?? '';
  if (method === 'DELETE') {
    return old === epoch ? undefined : `a Node may be deleted in epoch ${epoch} only; it carries "${old}"`;
  }
  const given = patch.metadata?.annotations?.[epochAnnotation];
  const stamp = given === null ? '' : (given ?? old);
  const marked = (taints: readonly Taint[] | undefined): boolean =>
    taints?.some(({ key }) => key === outOfServiceTaint.key) ?? false;
  const before = marked(node.spec?.taints);
  const after = patch.spec?.taints === undefined ? before : marked(patch.spec.taints);
  if (after && !before && stamp !== epoch) {
    return `the out-of-service taint may be set in epoch ${epoch} only; found "${stamp}"`;
  }
  return stamp === '' || stamp === old || stamp === epoch
    ? undefined
    : `a Node may be stamped with epoch ${epoch} only; found "${stamp}"`;
}
