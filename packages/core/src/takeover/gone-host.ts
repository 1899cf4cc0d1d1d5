// Asks the host of a Node that is gone whether it is up: its kubelet renews no Lease any more, and nobody else probes it.

import type { ProbeResult } from '../evidence/fact.ts';
import { confirmationIn } from '../fencing/manual.ts';
import { confirmOnRecordCommand } from '../marks/confirmed.ts';
import { hasProof } from './record.ts';
import type { StepContext } from './step.ts';

/** What each answer shows; silence and a failure of our own show nothing. */
const signs: Readonly<Partial<Record<ProbeResult, string>>> = {
  answered: 'its kubelet answers',
  mute: 'it accepts connections, and its kubelet hangs',
  refused: 'it refuses connections, so its kubelet is not running',
};

/**
 * Why nothing of a Node that is gone may be released: its host is up. Undefined while nothing says so, and when a device or a human
 * vouches for the death, who outweigh a host that answers. To be asked only where the Node is gone.
 */
export async function signOfGoneHost(context: StepContext): Promise<string | undefined> {
  const { record, cluster, term, probe } = context;
  const { name, uid } = record.node;
  if (probe === undefined || hasProof(record)) return undefined;
  if (confirmationIn(record.noted?.annotations, record.deathId, 'node') !== undefined) return undefined;
  // Whoever has the address by now is another machine.
  if (context.addressIsReused()) return undefined;
  // As much of a Node as a probe needs.
  const node = {
    metadata: { name, uid, resourceVersion: '' },
    status: { addresses: record.noted?.addresses ?? [] },
  };
  const sign = signs[await answerOf(() => probe(node, term.signal))];
  term.assertValid();
  if (sign === undefined) return undefined;
  const onRecord = (await cluster.readRecord(term, record.id))?.annotations;
  if (confirmationIn(onRecord, record.deathId, 'record') !== undefined) return undefined;
  const confirm = `liberator confirm ${name}, or ${confirmOnRecordCommand(cluster.recordAddress(record.id), record.deathId)}`;
  return `the host is up: ${sign}, though its Node is gone. What ran on it may still write. Power the machine off, and only then: ${confirm}`;
}

/** A probe that fails for a reason of its own says nothing about the host. */
async function answerOf(ask: () => Promise<ProbeResult>): Promise<ProbeResult> {
  try {
    return await ask();
  } catch {
    return 'failed';
  }
}
