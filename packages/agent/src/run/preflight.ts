// Before anything starts: is there an API server, does it know us, may we do what a takeover needs?
import {
  describePermission,
  isForbidden,
  isNotFound,
  type KubernetesReader,
  missingPermissions,
  namespaces,
  neededPermissions,
  nodes,
  type Transport,
} from '@liberator/core';
import pRetry from 'p-retry';
import { mayPass } from '../cluster/may-pass.ts';
import { exitCode } from '../process/exit-code.ts';
import { FatalError, sentenceOf } from '../process/failure.ts';
import { formatDuration } from '../text/duration.ts';

export interface PreflightOptions {
  readonly reader: KubernetesReader;
  readonly transport: Transport;
  readonly namespace: string;
  readonly election: { readonly namespace: string; readonly name: string };
  readonly mode: 'act' | 'observe';
  /** Where guards of watchdogs keep their Leases, if a fencer relies on them. */
  readonly guardNamespaces?: readonly string[];
  /** Some fencer writes NetworkFences. Default false. */
  readonly networkFence?: boolean;
  /** How long to wait for an API server that does not answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called before each pause, with why. */
  readonly onWait: (error: unknown, retryInMs: number) => void;
}

const retryMs = 2_000;
const requestTimeoutMs = 5_000;

/**
 * Waits for the API server, and checks permissions and the namespace once it answers.
 *
 * @throws {@link FatalError} when it does not answer in time, or says something that waiting won't change.
 */
export async function preflight(options: PreflightOptions): Promise<void> {
  const { timeoutMs, signal, onWait } = options;
  let last: unknown;
  try {
    await pRetry(
      async () => {
        await checkNodes(options);
        await checkPermissions(options);
        await checkNamespace(options);
      },
      {
        // Bounded by time, not by count.
        retries: Number.POSITIVE_INFINITY,
        maxRetryTime: timeoutMs,
        minTimeout: retryMs,
        factor: 1,
        signal,
        shouldRetry: ({ error }) => !(error instanceof FatalError) && mayPass(error),
        onFailedAttempt: ({ error }) => {
          last = error;
          if (!(error instanceof FatalError) && mayPass(error)) onWait(error, retryMs);
        },
      },
    );
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof FatalError) throw error;
    const cause = last ?? error;
    const waited = mayPass(cause) ? ` (waited ${formatDuration(timeoutMs)} for it)` : '';
    throw failed(`${sentenceOf(cause)}${waited}`, cause);
  }
}

/** The one read that nothing works without. A refusal is left to the check of permissions, which tells all of them. */
async function checkNodes({ reader, signal }: PreflightOptions): Promise<void> {
  const pages = reader.listPages(nodes, { pageSize: 1, attempts: 1, timeoutMs: requestTimeoutMs, signal });
  try {
    // The first page is enough.
    for await (const _ of pages) break;
  } catch (error) {
    if (!isForbidden(error)) throw error;
  }
}

async function checkPermissions({
  transport,
  namespace,
  election,
  mode,
  guardNamespaces,
  networkFence = false,
  signal,
}: PreflightOptions): Promise<void> {
  const permissions = neededPermissions({
    namespace,
    election,
    mode,
    networkFence,
    ...(guardNamespaces !== undefined && { guardNamespaces }),
  });
  const missing = await missingPermissions({ transport, permissions, signal, timeoutMs: requestTimeoutMs });
  if (missing.length === 0) return;
  throw failed(
    `the API server does not allow this identity to ${missing.map(describePermission).join(', ')}`,
  );
}

/** Without its namespace nothing can be written, not even the election Lease. Who may not ask is not refused for it. */
async function checkNamespace({ reader, namespace, signal }: PreflightOptions): Promise<void> {
  try {
    await reader.get(namespaces, { name: namespace }, { attempts: 1, timeoutMs: requestTimeoutMs, signal });
  } catch (error) {
    if (isForbidden(error)) return;
    if (isNotFound(error))
      throw failed(`there is no namespace ${namespace}: create it, or set another`, error);
    throw error;
  }
}

function failed(message: string, cause?: unknown): FatalError {
  return new FatalError(message, { code: 'LIBERATOR_PREFLIGHT', exitCode: exitCode.failed, cause });
}
