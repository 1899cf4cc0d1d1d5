// The leader's side of self-fencing: waits until a watchdog that was fed to the last must have reset its machine.

import type { Lease } from '../../kubernetes/objects.ts';
import type { Clock } from '../../time/clock.ts';
import { sleep } from '../../time/clock.ts';
import type { FenceCheck, FenceCheckContext } from '../fence-check.ts';
import type { FenceContext } from '../fence-context.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { FenceResult, Fencer } from '../fencer.ts';
import type { FenceEvidence } from '../proof.ts';
import { leastMarginMs, resetWithinMs } from './bound.ts';
import { claimOf, defaultGuardNamespace, type GuardClaim, guardLeaseName } from './guard-claim.ts';

/** Reads one Lease from the API server itself, never from a cache; undefined when there is none. Rejects without an answer. */
export type ReadLease = (
  at: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
) => Promise<Lease | undefined>;

/** Options of {@link watchdogFencer}. */
export interface WatchdogFencerOptions {
  /** As policies name it. */
  readonly name: string;
  /** Needs the verb `get` on Leases where the guards are, and in `kube-node-lease`. */
  readonly readLease: ReadLease;
  /** Where the guards keep their Leases. Default `liberator-guards`. */
  readonly namespace?: string;
  /** What is waited beyond T and W, in milliseconds. Default, and at least, 5,000; longer is safer, and slower. */
  readonly marginMs?: number;
  /**
   * The longest wait that it takes upon itself, in milliseconds: a guard whose T and W ask for more is none, and the next rung has its turn. Its
   * own rung needs more time than this. Default 240,000.
   */
  readonly longestWaitMs?: number;
  /** See {@link Fencer.timeoutMs}. */
  readonly timeoutMs?: number;
}

/** See {@link WatchdogFencerOptions.longestWaitMs}. */
export const defaultLongestWaitMs = 240_000;

const nodeLeases = 'kube-node-lease';
const lookAgainMs = 10_000;
/** Far more than die at once. */
const mostLooks = 10_000;
const checkEveryMs = 1_000;
const longestCheckMs = 30_000;

/** When this process saw a Lease for the first time as it is. */
interface FirstLook {
  readonly version: string;
  /** Monotonic, when the answer was there. */
  readonly at: number;
  readonly wallTime: number;
}

/**
 * Gives the proof `self-fenced` once a guard's Lease has been seen unchanged for {@link resetWithinMs}, by the leader's own clock: from its own
 * first look, whatever an earlier leader saw. It touches nothing. Machines whose guard has armed no watchdog are refused for good, and so are
 * those whose watchdog has been seen not to bite.
 *
 * @throws RangeError when the margin is shorter than it may be.
 */
export function watchdogFencer(options: WatchdogFencerOptions): Fencer {
  const { name, marginMs = leastMarginMs, longestWaitMs = defaultLongestWaitMs, timeoutMs } = options;
  if (!(marginMs >= leastMarginMs)) {
    throw new RangeError(`expected a margin of at least ${leastMarginMs} ms, found ${marginMs}`);
  }
  if (!(longestWaitMs > 0)) throw new RangeError(`expected a longest wait, found ${longestWaitMs} ms`);
  const judge = new SilenceJudge(options, marginMs, longestWaitMs);
  return {
    name,
    harmless: true,
    proofs: ['self-fenced'],
    ...(timeoutMs !== undefined && { timeoutMs }),
    fence: (target, context) => judge.fence(target, context),
    check: (target, context) => judge.check(target, context),
  };
}

class SilenceJudge {
  readonly #readLease: ReadLease;
  readonly #namespace: string;
  readonly #marginMs: number;
  readonly #longestWaitMs: number;
  /** By the Lease's name. Oldest first. */
  readonly #looks = new Map<string, FirstLook>();

  constructor(options: WatchdogFencerOptions, marginMs: number, longestWaitMs: number) {
    this.#readLease = options.readLease;
    this.#namespace = options.namespace ?? defaultGuardNamespace;
    this.#marginMs = marginMs;
    this.#longestWaitMs = longestWaitMs;
  }

  async fence(target: FenceTarget, { clock, signal }: FenceContext): Promise<FenceResult> {
    // Time counts from the end of the first look to the beginning of the last.
    const askedAt = clock.now();
    const lease = await this.#read(target.name, signal);
    if (lease === undefined) return notGuarded(`${target.name} has no guard`);
    const claim = claimOf(lease);
    const refusal = this.#refusal(claim, target);
    if (claim === undefined || refusal !== undefined) return notGuarded(refusal ?? 'nobody knows its guard');
    const first = this.#firstLook(lease, clock);
    const waitMs = resetWithinMs(claim, this.#marginMs);
    const leftMs = first.at + waitMs - askedAt;
    if (leftMs > 0) {
      return {
        outcome: 'waiting',
        detail: `its guard has to be silent for ${seconds(waitMs)}, then its watchdog has reset ${target.name}`,
        retryAfterMs: Math.min(leftMs, lookAgainMs),
      };
    }
    const sign = await this.#lateSign(lease, waitMs, target.name, signal);
    if (sign !== undefined) return notGuarded(sign);
    return {
      outcome: 'fenced',
      proof: 'self-fenced',
      detail: `its guard was silent for ${seconds(waitMs)}, so its watchdog has reset ${target.name}`,
      evidence: evidenceOf(lease, claim, first, clock),
    };
  }

  async check(target: FenceTarget, { clock, signal }: FenceCheckContext): Promise<FenceCheck> {
    const answer = (outcome: FenceCheck['outcome'], detail: string, claim?: GuardClaim): FenceCheck => ({
      outcome,
      machine: claim === undefined ? 'unknown' : 'matched',
      power: outcome === 'ready' ? 'on' : 'unknown',
      mayAct: outcome === 'ready' ? 'yes' : 'unknown',
      detail,
    });
    const lease = await this.#read(target.name, signal);
    if (lease === undefined) return answer('no-device', `${target.name} has no guard`);
    const claim = claimOf(lease);
    const refusal = this.#refusal(claim, target);
    if (claim === undefined || refusal !== undefined) return answer('not-ready', refusal ?? '');
    // A Lease alone says that there was a guard once: one that is there renews it.
    const until = clock.now() + Math.min(longestCheckMs, claim.grantMs);
    const before = versionOf(lease);
    while (await sleep(clock, checkEveryMs, signal)) {
      const now = await this.#read(target.name, signal);
      if (now !== undefined && versionOf(now) !== before) {
        return answer('ready', `its guard renews, and feeds ${claim.device}`, claim);
      }
      if (clock.now() >= until) break;
    }
    return answer('not-ready', 'its guard does not renew', claim);
  }

  #read(node: string, signal: AbortSignal): Promise<Lease | undefined> {
    return this.#readLease({ namespace: this.#namespace, name: guardLeaseName(node) }, signal);
  }

  /** Why there is no watchdog that could be relied on; undefined when there is one. */
  #refusal(claim: GuardClaim | undefined, target: FenceTarget): string | undefined {
    if (claim === undefined) return 'the Lease of its guard says nothing that makes sense';
    if (claim.node !== target.name) return `the Lease of its guard is about ${claim.node}`;
    if (claim.state !== 'armed') return `its guard has armed no watchdog: it says "${claim.state}"`;
    const bootId = target.bootId || target.node?.status?.nodeInfo?.bootID || '';
    // What was guarded then has ended long ago, and nobody knows what runs there now.
    if (bootId === '')
      return 'its Node names no boot, so nobody knows whether that is the one that is guarded';
    if (bootId !== claim.bootId) return 'its guard guards another boot than the one that died';
    const waitMs = resetWithinMs(claim, this.#marginMs);
    return waitMs > this.#longestWaitMs
      ? `its watchdog takes ${seconds(waitMs)}, and no more than ${seconds(this.#longestWaitMs)} are waited`
      : undefined;
  }

  /** What was seen before stands as long as nobody has changed the Lease since: a change never goes back. */
  #firstLook(lease: Lease, clock: Clock): FirstLook {
    const name = lease.metadata.name;
    const version = versionOf(lease);
    const known = this.#looks.get(name);
    if (known?.version === version) return known;
    const look = { version, at: clock.now(), wallTime: clock.wallTime() };
    this.#looks.delete(name);
    this.#looks.set(name, look);
    const [oldest] = this.#looks.keys();
    if (this.#looks.size > mostLooks && oldest !== undefined) this.#looks.delete(oldest);
    return look;
  }

  /**
   * A kubelet that was heard long after the guard of the same machine fell silent runs on a machine that its watchdog should have reset.
   * This compares what two programs wrote by one wall clock, and can only take a proof away.
   */
  async #lateSign(
    guard: Lease,
    waitMs: number,
    node: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const kubelet = await this.#readLease({ namespace: nodeLeases, name: node }, signal);
    // It goes with the Node.
    if (kubelet === undefined) return undefined;
    const laterMs = renewedAt(kubelet) - renewedAt(guard);
    return laterMs > waitMs
      ? 'its kubelet was heard long after its guard, so its watchdog does not bite'
      : undefined;
  }
}

function notGuarded(detail: string): FenceResult {
  return { outcome: 'failed', detail, permanent: true };
}

function versionOf({ metadata, spec }: Lease): string {
  return `${metadata.uid}/${metadata.resourceVersion}/${spec?.renewTime}`;
}

/** NaN, which is later than nothing, where it doesn't say. */
function renewedAt({ spec }: Lease): number {
  return Date.parse(spec?.renewTime ?? '');
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1_000)} s`;
}

function evidenceOf(
  { metadata, spec }: Lease,
  { grantMs, timeoutMs, device, bootId }: GuardClaim,
  first: FirstLook,
  clock: Clock,
): readonly FenceEvidence[] {
  const at = (wallTime: number): string => new Date(wallTime).toISOString();
  return [
    {
      witness: `guard on ${device}`,
      said: `armed, boot ${bootId}, T ${grantMs} ms, W ${timeoutMs} ms, renewed last at ${spec?.renewTime} by its own clock`,
      at: at(first.wallTime),
    },
    {
      witness: 'API server',
      said: `Lease ${metadata.name} is unchanged at resourceVersion ${metadata.resourceVersion}`,
      at: at(clock.wallTime()),
    },
  ];
}
