// Lists out of bytes that are kept: a stored object never changes, so it is written as JSON once, however often it is listed.
import {
  decodeContinue,
  encodeContinue,
  expiredToken,
} from '../../../packages/simulator/src/http/continue-token.ts';
import { readListRequest } from '../../../packages/simulator/src/http/list-options.ts';
import { asItem, selectedBy } from '../../../packages/simulator/src/http/pages.ts';
import type { ResourceRoute } from '../../../packages/simulator/src/http/route.ts';
import { keyOfObject } from '../../../packages/simulator/src/store/collection.ts';
import { apiVersionOf } from '../../../packages/simulator/src/store/resources.ts';
import { StatusError } from '../../../packages/simulator/src/store/status-error.ts';
import type { Snapshot, StoredObject } from '../../../packages/simulator/src/store/store.ts';
import type { StandInCluster } from './cluster.ts';

const kept = new WeakMap<StoredObject, Buffer>();
const comma = Buffer.from(',');

function bytesOf(object: StoredObject): Buffer {
  let bytes = kept.get(object);
  if (bytes === undefined) {
    bytes = Buffer.from(JSON.stringify(asItem(object)));
    kept.set(object, bytes);
  }
  return bytes;
}

/** The whole answer to a list, or to one page of it. @throws StatusError as a real API server refuses lists */
export function listedBytes(cluster: StandInCluster, route: ResourceRoute): Buffer {
  const { type, query, namespace } = route;
  const { limit, continueToken, version } = readListRequest(query);
  const token = continueToken === undefined ? undefined : decodeContinue(continueToken);
  const snapshot = token === undefined ? cluster.store.snapshot(type) : pastOf(cluster, route, token);
  const selected = selectedBy(route);
  const candidates = onOneNode(cluster, route) ?? snapshot.objects;
  const matching = candidates.filter(
    (object) =>
      (namespace === undefined || object.metadata.namespace === namespace) &&
      (token === undefined || keyOfObject(object) > token.after) &&
      selected(object),
  );
  const taken = limit > 0 && version !== 0 ? matching.slice(0, limit) : matching;
  const rest = matching.length - taken.length;
  const last = taken.at(-1);
  return listBytes(`${type.kind}List`, apiVersionOf(type), {
    version: String(snapshot.resourceVersion),
    rest,
    ...(rest > 0 &&
      last !== undefined && {
        next: encodeContinue({ resourceVersion: snapshot.resourceVersion, after: keyOfObject(last) }),
      }),
    items: taken.flatMap((object, at) => (at === 0 ? [bytesOf(object)] : [comma, bytesOf(object)])),
  });
}

/** A list around items that are bytes already. */
export function listBytes(
  kind: string,
  apiVersion: string,
  page: {
    readonly version: string;
    readonly rest: number;
    readonly next?: string;
    readonly items: readonly Buffer[];
  },
): Buffer {
  const more = page.next === undefined ? '' : `,"continue":"${page.next}","remainingItemCount":${page.rest}`;
  const head = `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":{"resourceVersion":"${page.version}"${more}},"items":[`;
  return Buffer.concat([Buffer.from(head), ...page.items, Buffer.from(']}\n')]);
}

function pastOf(
  cluster: StandInCluster,
  { type }: ResourceRoute,
  token: ReturnType<typeof decodeContinue>,
): Snapshot {
  try {
    return cluster.store.snapshot(type, token.resourceVersion);
  } catch (error) {
    throw error instanceof StatusError ? expiredToken(token) : error;
  }
}

/** A real API server keeps an index of pods by node; so does this one. */
function onOneNode(
  cluster: StandInCluster,
  { type, query }: ResourceRoute,
): readonly StoredObject[] | undefined {
  if (type.plural !== 'pods') return undefined;
  const node = /^spec\.nodeName=([^,]+)$/.exec(query.get('fieldSelector') ?? '')?.[1];
  return node === undefined ? undefined : [...(cluster.podsOn.get(node)?.values() ?? [])];
}
