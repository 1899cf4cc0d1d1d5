// Reads the Ready condition of every node.
import { type ApiCredentials, callApi } from './api-client.ts';

/** The status of a node's Ready condition. */
export type ReadyStatus = 'True' | 'False' | 'Unknown';

interface NodeList {
  items: { metadata: { name: string }; status?: { conditions?: { type: string; status: ReadyStatus }[] } }[];
}

/** By node name; a node that has not said anything yet has no entry. */
export async function readyStatus(
  server: string,
  credentials: ApiCredentials,
  signal?: AbortSignal,
): Promise<Map<string, ReadyStatus>> {
  const { items } = await callApi<NodeList>({ url: `${server}/api/v1/nodes`, credentials, signal });
  return new Map(
    items.flatMap(({ metadata, status }) => {
      const ready = status?.conditions?.find((condition) => condition.type === 'Ready');
      return ready === undefined ? [] : [[metadata.name, ready.status] as const];
    }),
  );
}
