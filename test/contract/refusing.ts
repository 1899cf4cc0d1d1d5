// An admission policy in front of a simulated API server: it refuses writes to one object, in the words of real ones.
import type { ApiHandler } from '@liberator/simulator';

/** Which objects. */
interface Refused {
  readonly resource: string;
  readonly name: string;
}

/** A server that refuses what it is told to, from then on. */
export function refusing(): {
  inFront(server: ApiHandler): ApiHandler;
  refuse(what: Refused, message: string): void;
} {
  const all: { readonly what: Refused; readonly message: string }[] = [];
  return {
    refuse: (what, message) => void all.push({ what, message }),
    inFront: (server) => async (request) => {
      const found = request.method === 'GET' ? undefined : all.find(({ what }) => isAbout(what, request));
      if (found === undefined) return server(request);
      const status = {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        reason: 'Forbidden',
        code: 403,
        message: found.message,
        details: { name: found.what.name, kind: found.what.resource },
      };
      return {
        status: 403,
        headers: { 'content-type': 'application/json' },
        body: only(new TextEncoder().encode(JSON.stringify(status))),
      };
    },
  };
}

/** A creation bears the name in its body, or only the beginning of it. */
function isAbout({ resource, name }: Refused, { path, body }: { path: string; body?: string }): boolean {
  const [where = ''] = path.split('?');
  if (where.endsWith(`/${resource}/${name}`)) return true;
  if (!where.endsWith(`/${resource}`) || body === undefined) return false;
  const { metadata } = JSON.parse(body) as { metadata: { name?: string; generateName?: string } };
  return metadata.name === name || metadata.generateName === `${name}.`;
}

async function* only(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}
