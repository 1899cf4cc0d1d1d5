// The one error of a test cluster: a sentence for a person and a code for a test.

/**
 * What went wrong, as a stable word.
 *
 * - `missing-requirement`: the machine lacks something (Go, iproute2, a privilege)
 * - `build-failed`: a program could not be built
 * - `component-failed`: a program ended or was not ready in time
 * - `wrong-argument`: a name, count, duration or path that makes no sense
 * - `wrong-state`: the cluster or node is not in a state that allows this
 * - `network-failed`: the kernel refused a bridge, link or namespace
 * - `request-failed`: the API server refused a request or did not answer it
 */
export type ClusterErrorCode =
  | 'missing-requirement'
  | 'build-failed'
  | 'component-failed'
  | 'wrong-argument'
  | 'wrong-state'
  | 'network-failed'
  | 'request-failed';

/** Thrown by everything in this folder; its message says what was expected, what was found and what to do. */
export class ClusterError extends Error {
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClusterError';
    this.code = code;
  }
}
