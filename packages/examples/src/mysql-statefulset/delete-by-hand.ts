// Deletes what kubectl would delete: an object and, if need be, what it owns.
import type { Transport } from '@liberator/core';

const paths = {
  pod: '/api/v1/namespaces/{namespace}/pods',
  statefulset: '/apis/apps/v1/namespaces/{namespace}/statefulsets',
} as const;

/** @throws Error when the API server does not do it. */
export async function deleteByHand(
  transport: Transport,
  kind: keyof typeof paths,
  at: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<void> {
  const { status, body } = await transport.send({
    method: 'DELETE',
    path: `${paths[kind].replace('{namespace}', at.namespace)}/${at.name}`,
    body: JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' }),
    signal,
  });
  // An answer is to be read to its end, or its connection is never free again.
  for await (const _ of body);
  if (status !== 200 && status !== 202)
    throw new Error(`expected ${kind} ${at.name} to be deleted, found ${status}`);
}
