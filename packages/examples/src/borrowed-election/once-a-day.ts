// A job that must run once in the whole cluster, however many replicas there are: it borrows the election, and nothing else.
import {
  type Clock,
  configMaps,
  createLeaseStore,
  createReader,
  isNotFound,
  LeaderElector,
  type LeaderTerm,
  type Random,
  type Transport,
} from '@liberator/core';

export interface OnceADayOptions {
  readonly identity: string;
  readonly transport: Transport;
  /** Another connection, so that nothing can delay the renewal of the Lease. */
  readonly leaseTransport: Transport;
  readonly namespace: string;
  /** The work. It must stop when `term.signal` aborts: from then on somebody else may do it. */
  readonly job: (term: LeaderTerm) => Promise<void>;
  readonly tell: (text: string) => void;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Resolves once today's job has been done, by whomever. Two things make it run once: the Lease keeps two replicas from
 * working at the same time, and a ConfigMap, which can be created only once, remembers that the day is done.
 *
 * @throws {@link LeadershipLostError} when leadership was lost in the middle: end the process, and let it start anew.
 */
export async function runOnceADay(options: OnceADayOptions, signal: AbortSignal): Promise<void> {
  const { identity, transport, leaseTransport, namespace, job, tell, clock, random } = options;
  const reader = createReader({ transport, clock, random });
  const store = createLeaseStore({
    transport: leaseTransport,
    namespace,
    name: 'nightly-backup',
    clock,
    random,
  });
  const today = new Date(clock.wallTime()).toISOString().slice(0, 10);
  const mark = { namespace, name: `nightly-backup-${today}` };

  await new LeaderElector({ store, identity, clock, random }).run(async (term) => {
    if (await reader.get(configMaps, mark).then(() => true, absent)) {
      tell(`leads in epoch ${term.epoch}; the job of ${today} is done already`);
      return;
    }
    tell(`leads in epoch ${term.epoch}, and begins the job of ${today}`);
    await job(term);
    if (term.signal.aborted) {
      tell('was asked to stop, and leaves the job to the next');
      return;
    }
    await remember(transport, mark, term);
    tell('has done the job');
  }, signal);
}

function absent(error: unknown): false {
  if (isNotFound(error)) return false;
  throw error;
}

/** Writes are the embedder's own; the term is checked for the last time right before the bytes leave. */
async function remember(
  transport: Transport,
  metadata: { readonly namespace: string; readonly name: string },
  term: LeaderTerm,
): Promise<void> {
  const { status, body } = await transport.send({
    method: 'POST',
    path: `/api/v1/namespaces/${metadata.namespace}/configmaps`,
    body: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { by: term.identity } }),
    signal: term.signal,
    beforeSend: () => term.assertValid(),
  });
  // An answer is to be read to its end, or its connection is never free again.
  for await (const _ of body);
  if (status !== 201) throw new Error(`expected 201 for the mark of the day, found ${status}`);
}
