// Which troubles with an API server waiting may end.
import { isTooManyRequests, KubernetesError, MalformedAnswerError } from '@liberator/core';

/** An answer other than "later" or "I am broken" stays the same however long one waits. */
export function mayPass(error: unknown): boolean {
  if (error instanceof KubernetesError) return error.status >= 500 || isTooManyRequests(error);
  return !(error instanceof MalformedAnswerError);
}
