// Counts what goes through a transport, by verb and resource: what something costs the API server.
import type { Transport, TransportRequest } from '@liberator/core';

/** So many of one kind. */
export interface Count {
  /** As in Kubernetes' authorization: `get`, `list`, `watch`, `create`, `patch`, `update`, `delete`. */
  readonly verb: string;
  /** Plural, with its subresource if there is one: `pods`, `pods/eviction`. */
  readonly resource: string;
  readonly count: number;
}

/** A transport with a tally of what it was asked for. */
export class CountingTransport implements Transport {
  readonly #inner: Transport;
  readonly #counts = new Map<string, number>();

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  send(request: TransportRequest): ReturnType<Transport['send']> {
    const kind = kindOf(request);
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    return this.#inner.send(request);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** From now on. */
  reset(): void {
    this.#counts.clear();
  }

  /** Most of a kind first. */
  get counts(): readonly Count[] {
    return [...this.#counts]
      .map(([kind, count]) => {
        const [verb = '', resource = ''] = kind.split(' ');
        return { verb, resource, count };
      })
      .toSorted(
        (a, b) => b.count - a.count || (`${a.resource} ${a.verb}` < `${b.resource} ${b.verb}` ? -1 : 1),
      );
  }
}

/** `/api/v1/…` and `/apis/GROUP/VERSION/…`, then `namespaces/NAME/` where the resource is in one. */
function kindOf({ method, path }: TransportRequest): string {
  const { pathname, searchParams } = new URL(path, 'http://cluster');
  const parts = pathname.split('/').filter((part) => part !== '');
  const place = parts.slice(parts[0] === 'api' ? 2 : 3);
  const inNamespace = place[0] === 'namespaces' && place.length > 2;
  const [resource = '', name, subresource] = inNamespace ? place.slice(2) : place;
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  if (method !== 'GET') return `${verbs[method]} ${what}`;
  if (searchParams.get('watch') !== null) return `watch ${what}`;
  return `${name === undefined ? 'list' : 'get'} ${what}`;
}

const verbs = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' } as const;
