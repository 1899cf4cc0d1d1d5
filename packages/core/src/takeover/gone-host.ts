// Asks a host itself whether it is up, where nothing else would tell: of a Node that is gone, whose kubelet renews no Lease any more,
// and of one that hung and is said to have been switched off.

import type { ProbeResult } from '../evidence/fact.ts';
import type { NodeProbe } from '../evidence/witnesses/prober.ts';
import { confirmationIn } from '../fencing/manual.ts';
import type { Node } from '../kubernetes/objects.ts';
import { confirmOnRecordCommand, confirmWays } from '../marks/confirmed.ts';
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
  const { name } = record.node;
  // That it is up is why it is switched off.
  if (probe === undefined || hasProof(record) || record.hung === true) return undefined;
  if (confirmationIn(record.noted?.annotations, record.deathId, 'node') !== undefined) return undefined;
  const sign = await signOf(context, probe);
  if (sign === undefined) return undefined;
  const onRecord = (await cluster.readRecord(term, record.id))?.annotations;
  if (confirmationIn(onRecord, record.deathId, 'record') !== undefined) return undefined;
  const confirm = `liberator confirm ${name}, or ${confirmOnRecordCommand(cluster.recordAddress(record.id), record.deathId)}`;
  return `the host is up: ${sign}, though its Node is gone. What ran on it may still write. Power the machine off, and only then: ${confirm}`;
}

/**
 * Why nothing of a host that was up when it was taken over may be released: it is up still, although somebody vouches that it has no
 * power any more. Undefined while nothing says so. A human's word outweighs it, and one that was only reset may answer again.
 */
export async function signOfStoppedHost(context: StepContext, seen?: Node): Promise<string | undefined> {
  const { record, cluster, term, probe } = context;
  const { proof, hung, fencer = 'somebody' } = record;
  if (probe === undefined || hung !== true || (proof !== 'powered-off' && proof !== 'instance-gone'))
    return undefined;
  if (confirmationIn(context.nodeNow()?.noted?.annotations, record.deathId, 'node') !== undefined)
    return undefined;
  const sign = await signOf(context, probe, seen);
  if (sign === undefined) return undefined;
  const onRecord = (await cluster.readRecord(term, record.id))?.annotations;
  if (confirmationIn(onRecord, record.deathId, 'record') !== undefined) return undefined;
  const confirm = confirmWays(record.node.name, record.deathId);
  return `the host is up: ${sign}, although ${fencer} vouches for "${proof}": it may be another machine that was stopped. Power it off, and only then: ${confirm}`;
}

/** What a probe of its host shows at this moment; undefined when that is nothing. */
async function signOf(context: StepContext, probe: NodeProbe, seen?: Node): Promise<string | undefined> {
  const { record, term } = context;
  // Whoever has the address by now is another machine.
  if (context.addressIsReused()) return undefined;
  const { name, uid } = record.node;
  // As much of a Node as a probe needs, where there is none.
  const node = seen ?? {
    metadata: { name, uid, resourceVersion: '' },
    status: { addresses: record.noted?.addresses ?? [] },
  };
  const sign = signs[await answerOf(() => probe(node, term.signal))];
  term.assertValid();
  return sign;
}

/** A probe that fails for a reason of its own says nothing about the host. */
async function answerOf(ask: () => Promise<ProbeResult>): Promise<ProbeResult> {
  try {
    return await ask();
  } catch {
    return 'failed';
  }
}
