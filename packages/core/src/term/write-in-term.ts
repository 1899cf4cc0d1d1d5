// The one way in which this room writes: checked against the term right before the bytes leave, and over before the term is.

import type { KubernetesClient, RequestOptions } from '../kubernetes/client.ts';
import type { LeaderTerm } from './leader-term.ts';

/** Long enough for a busy API server; the term usually allows less. */
const longestRequestMs = 10_000;

/** @throws TermEndedError when the term is over, and then nothing was sent. */
export function writeInTerm<T>(
  client: KubernetesClient,
  term: LeaderTerm,
  request: Omit<RequestOptions, 'signal' | 'timeoutMs' | 'beforeSend'>,
): Promise<T> {
  return client.request<T>({ ...request, ...limitsOf(term), beforeSend: () => term.assertValid() });
}

/** What any call made on behalf of a term may take. */
export function limitsOf(term: LeaderTerm): { timeoutMs: number; signal: AbortSignal } {
  term.assertValid();
  return { timeoutMs: Math.min(longestRequestMs, term.remainingMs()), signal: term.signal };
}
