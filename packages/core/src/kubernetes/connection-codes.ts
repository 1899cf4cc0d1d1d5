// What the codes of Node.js and undici mean when a connection fails, whoever is at its other end.

/** For people, by code. */
export const brokenConnections: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed by the other side',
  ENOTFOUND: 'its host name is not known',
  EAI_AGAIN: 'its host name could not be looked up (no answer from DNS)',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to its network',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_SOCKET: 'connection closed by the other side',
};

/** With several addresses to one name, every attempt fails on its own: they share a code nearly always. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : undefined;
}
