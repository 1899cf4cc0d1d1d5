// Has a fencer switch a machine because a person says so: for an acceptance test, before anything relies on it.
import { askFencer } from '../fencing/ask-fencer.ts';
import { askUnfence } from '../fencing/ask-unfence.ts';
import { type FencePermit, refused } from '../fencing/fence-context.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import type { Fencer } from '../fencing/fencer.ts';
import { permitSince } from '../fencing/look-permit.ts';
import type { FenceEvidence, FenceProof } from '../fencing/proof.ts';
import type { Node } from '../kubernetes/objects.ts';
import { type Clock, sleep } from '../time/clock.ts';
import type { HandCluster } from './hand-cluster.ts';

/** What is to be done by hand. */
export interface FencingByHand {
  /** Who switches it. */
  readonly fencer: Fencer;
  /** Which machine. */
  readonly target: FenceTarget;
  /** `fence` as a takeover would, or `unfence`: the power comes back. */
  readonly act: 'fence' | 'unfence';
  /** Where it is told, and looked for what hangs on it. */
  readonly cluster: Pick<HandCluster, 'readNode'>;
  /** The Node as the person saw it who said so. */
  readonly seen: Node;
  /** Times the answers. */
  readonly clock: Clock;
  /** Stops it. What the device was asked for by then may still come about. */
  readonly signal: AbortSignal;
  /** How long all of it may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Called with what the fencer waits for, once for each. */
  readonly onWaiting?: (detail: string) => void;
}

/** What came of it. */
export type FencedByHand =
  | {
      readonly outcome: 'done';
      /** Absent when the power was given back. */
      readonly proof?: FenceProof;
      readonly detail: string;
      readonly evidence: readonly FenceEvidence[];
    }
  | { readonly outcome: 'failed' | 'timed-out'; readonly detail: string };

const pauseMs = 1_000;

/**
 * Asks until the fencer is done, fails, or time is up. A person's word stands in for the leader's term; what the machine is, is looked
 * at anew before each request that harms.
 *
 * @throws what `signal` aborted with.
 */
export async function fenceByHand(asked: FencingByHand): Promise<FencedByHand> {
  const { fencer, target, act, clock, signal, timeoutMs, onWaiting } = asked;
  const endsAt = clock.now() + timeoutMs;
  let waitsFor: string | undefined;
  for (;;) {
    const forMs = endsAt - clock.now();
    if (forMs <= 0) return { outcome: 'timed-out', detail: waitsFor ?? 'no answer in its time' };
    const permit = (): Promise<FencePermit> => permitByHand(asked);
    const ask = act === 'fence' ? askFencer : askUnfence;
    const { result, refusal } = await ask(fencer, target, { signal, clock, permit, forMs });
    if (refusal !== undefined) return { outcome: 'failed', detail: refusal.detail };
    if (result.outcome === 'failed') return { outcome: 'failed', detail: result.detail };
    if (result.outcome === 'unfenced') return { outcome: 'done', detail: result.detail, evidence: [] };
    if (result.outcome === 'fenced') {
      const { proof, detail, evidence = [] } = result;
      return { outcome: 'done', proof, detail, evidence };
    }
    if (result.detail !== waitsFor) onWaiting?.(result.detail);
    waitsFor = result.detail;
    await sleep(clock, Math.min(result.retryAfterMs, Math.max(pauseMs, endsAt - clock.now())), signal);
    signal.throwIfAborted();
  }
}

/** Whether the Node is the one that the person meant. Another machine under its name is none of theirs. */
async function permitByHand({ cluster, seen, clock }: FencingByHand): Promise<FencePermit> {
  const { name, uid } = seen.metadata;
  const lookedAt = clock.now();
  try {
    const node = await cluster.readNode(name);
    const board = (one: Node | undefined): string => one?.status?.nodeInfo?.systemUUID ?? '';
    if (node?.metadata.uid !== uid || board(node) !== board(seen)) {
      return refused('overtaken', `${name} is gone or is another machine by now`);
    }
  } catch (error) {
    return refused('unknown', error instanceof Error ? error.message : String(error));
  }
  return permitSince(lookedAt, { now: clock.now() });
}
