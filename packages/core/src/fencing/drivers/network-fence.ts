// Cuts a node off from the volumes of one CSI driver, through csi-addons' NetworkFence.

import { isForbidden, isNotFound } from '../../kubernetes/errors.ts';
import type { KubernetesReader, ReadOptions } from '../../kubernetes/reader.ts';
import { nodes } from '../../kubernetes/resources.ts';
import type { Clock } from '../../time/clock.ts';
import type { FenceCheck, FenceCheckContext } from '../fence-check.ts';
import type { FenceContext, FenceRefusal } from '../fence-context.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { FenceResult, Fencer, UnfenceResult } from '../fencer.ts';
import type { GuardedResources, NewObject } from '../guarded-resources.ts';
import type { FenceEvidence } from '../proof.ts';
import {
  csiAddonsNodes,
  type NetworkFence,
  networkFenceClasses,
  networkFences,
  nodeIdOf,
  storageClientsIn,
} from './csi-addons.ts';
import {
  type Addresses,
  addressesOf,
  fenceFor,
  fenceName,
  isAsked,
  isOurs,
  sharedWith,
} from './network-fence-plan.ts';

/** Options of {@link networkFencer}. */
export interface NetworkFencerOptions {
  /** As policies name it. */
  readonly name: string;
  /** The NetworkFenceClass by which it fences: of one CSI driver, whose volumes alone its proof covers. */
  readonly networkFenceClass: string;
  /** For what is only looked at: the class, and whether another node has one of the addresses. */
  readonly reader: KubernetesReader;
  /** Asks the API server which of the rights it needs are missing, as people say them. Absent: a check can't tell. */
  readonly missingRights?: (signal: AbortSignal) => Promise<readonly string[]>;
  /** See {@link Fencer.timeoutMs}. */
  readonly timeoutMs?: number;
}

/** How often to ask what became of a fence. */
const lookEveryMs = 1_000;

/** All nodes in one list. */
const nodesPage = 500;

/**
 * Fences by creating a `NetworkFence` (csi-addons, `csiaddons.openshift.io/v1alpha1`) and waiting until its status says `Succeeded`.
 *
 * Its proof is `isolated`, from the volumes of the class's CSI driver only. It fences the addresses that were noted of the node while it
 * lived, as single hosts, and refuses when another node has one of them. The object's name follows from the death, so any number of
 * leaders make one; it stays until {@link Fencer.unfence}, which is safe only once the node has booted anew: a machine that was let back
 * without that goes on writing what it had not got rid of.
 */
export function networkFencer(options: NetworkFencerOptions): Fencer {
  const { name, networkFenceClass, timeoutMs } = options;
  return {
    name,
    ...(timeoutMs !== undefined && { timeoutMs }),
    acts: 'storage',
    proofs: ['isolated'],
    notes: 'storage-clients',
    fence: (target, context) => answered(() => fence(options, target, context)),
    check: (target, context) => check(options, target, context),
    unfence: (target, context) => answered(() => unfence(networkFenceClass, target, context)),
  };
}

/** What Kubernetes does not answer, or refuses, is a failure like any other. */
async function answered<R>(ask: () => Promise<R>): Promise<R | { outcome: 'failed'; detail: string }> {
  try {
    return await ask();
  } catch (error) {
    return { outcome: 'failed', detail: wordsOf(error) };
  }
}

async function fence(
  { networkFenceClass, reader }: NetworkFencerOptions,
  target: FenceTarget,
  { resources, clock, signal }: FenceContext,
): Promise<FenceResult> {
  if (resources === undefined) return failed(noResources, true);
  const driver = await driverOf(reader, networkFenceClass, { signal });
  if (driver === undefined) return failed(noClass(networkFenceClass), true);
  const addresses = addressesOf(target.name, target.noted.storage, { networkFenceClass, driver });
  if ('problem' in addresses) return failed(addresses.problem, true);
  const asked = fenceFor(target, networkFenceClass, addresses.cidrs);
  const { name } = asked.metadata;
  const found = await resources.read(networkFences, name);
  if (found === undefined) {
    const shared = await sharedNow(reader, target.uid, addresses, { signal });
    return shared === undefined ? create(resources, asked) : failed(shared, true);
  }
  if (!isOurs(found, target)) return failed(`NetworkFence ${name} is somebody else's`, true);
  if (found.metadata.deletionTimestamp !== undefined) return waiting(`NetworkFence ${name} is being deleted`);
  if (!isAsked(found, asked)) return startAnew(resources, found);
  return readStatus(found, driver, clock);
}

async function create(resources: GuardedResources, asked: NewObject<NetworkFence>): Promise<FenceResult> {
  const answer = await resources.create(networkFences, asked);
  if (typeof answer === 'object') return refusedBy(answer);
  return waiting(`NetworkFence ${asked.metadata.name} is made`);
}

/** A status that may be about something else says nothing, and to delete a fence takes nothing off at the storage. */
async function startAnew(resources: GuardedResources, found: NetworkFence): Promise<FenceResult> {
  const answer = await resources.delete(networkFences, found);
  if (typeof answer === 'object') return refusedBy(answer);
  return waiting(`NetworkFence ${found.metadata.name} was changed, and is made anew`);
}

function readStatus({ metadata, status, spec }: NetworkFence, driver: string, clock: Clock): FenceResult {
  const { result, message = '' } = status ?? {};
  const witness = `NetworkFence ${metadata.name}`;
  if (result === 'Succeeded') {
    return {
      outcome: 'fenced',
      proof: 'isolated',
      csiDrivers: [driver],
      detail: `${witness}: Succeeded`,
      evidence: [
        evidence(clock, witness, `fences ${spec.cidrs.join(', ')}`),
        evidence(clock, witness, `Succeeded: ${message}`),
      ],
    };
  }
  // It is tried again by csi-addons, until the rung's time is up.
  if (result === 'Failed') return failed(`${witness}: Failed: ${shortened(message)}`);
  return waiting(`${witness} has no result yet`);
}

async function unfence(
  networkFenceClass: string,
  target: FenceTarget,
  { resources }: FenceContext,
): Promise<UnfenceResult> {
  if (resources === undefined) return failed(noResources, true);
  const name = fenceName(target.deathId, networkFenceClass);
  const found = await resources.read(networkFences, name);
  if (found === undefined) return { outcome: 'unfenced', detail: `there is no NetworkFence ${name}` };
  if (!isOurs(found, target)) return failed(`NetworkFence ${name} is somebody else's`, true);
  if (found.metadata.deletionTimestamp !== undefined) return waiting(`NetworkFence ${name} is being deleted`);
  const answer = isUnfenced(found)
    ? await resources.delete(networkFences, found)
    : found.spec.fenceState === 'Fenced'
      ? await resources.patch(networkFences, found, { spec: { fenceState: 'Unfenced' } })
      : undefined;
  if (typeof answer === 'object') return refusedBy(answer);
  const { result, message = '' } = found.status ?? {};
  return result === 'Failed' && found.spec.fenceState === 'Unfenced'
    ? failed(`NetworkFence ${name}: Failed: ${shortened(message)}`)
    : waiting(`NetworkFence ${name} is being taken back`);
}

/** The success of the fence stands in the status until that of the opposite does: only the words tell them apart. */
function isUnfenced({ spec, status }: NetworkFence): boolean {
  return (
    spec.fenceState === 'Unfenced' &&
    status?.result === 'Succeeded' &&
    (status.message ?? '').toLowerCase().startsWith('unfenc')
  );
}

async function check(
  { networkFenceClass, reader, missingRights }: NetworkFencerOptions,
  target: FenceTarget,
  { signal, clock }: FenceCheckContext,
): Promise<FenceCheck> {
  try {
    const driver = await driverOf(reader, networkFenceClass, { signal });
    if (driver === undefined) return notReady(noClass(networkFenceClass), 'unknown');
    const missing = await missingRights?.(signal);
    const mayAct = missing === undefined ? 'unknown' : missing.length === 0 ? 'yes' : 'no';
    const known = addressesOf(target.name, await storageNow(reader, target, { signal }), {
      networkFenceClass,
      driver,
    });
    if ('problem' in known) return notReady(known.problem, mayAct);
    const shared = await sharedNow(reader, target.uid, known, { signal });
    if (shared !== undefined) return { ...notReady(shared, mayAct), machine: 'mismatched' };
    if (missing !== undefined && missing.length > 0) {
      return {
        ...notReady(`the API server does not let us ${missing.join(', ')}`, 'no'),
        machine: 'matched',
      };
    }
    const detail = `${driver} would fence ${known.cidrs.join(', ')}`;
    return {
      outcome: 'ready',
      machine: 'matched',
      power: 'unknown',
      mayAct,
      detail,
      evidence: [evidence(clock, `NetworkFenceClass ${networkFenceClass}`, `is of ${driver}`)],
    };
  } catch (error) {
    return notReady(wordsOf(error), isForbidden(error) ? 'no' : 'unknown');
  }
}

/** Undefined when there is no such class, or one that names no driver. */
async function driverOf(
  reader: KubernetesReader,
  name: string,
  options: ReadOptions,
): Promise<string | undefined> {
  try {
    const { spec } = await reader.get(networkFenceClasses, { name }, options);
    return spec?.provisioner === '' ? undefined : spec?.provisioner;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** For a node that lives there is nothing that has to be older than now. */
async function storageNow(
  reader: KubernetesReader,
  { node, noted }: FenceTarget,
  options: ReadOptions,
): Promise<FenceTarget['noted']['storage']> {
  if (noted.storage !== undefined || node === undefined) return noted.storage;
  const { items } = await reader.list(csiAddonsNodes, options);
  return items.flatMap(storageClientsIn).filter(({ driver, nodeId }) => nodeIdOf(node, driver) === nodeId);
}

/** Why the addresses must not be fenced; undefined when they are the machine's alone. */
async function sharedNow(
  reader: KubernetesReader,
  uid: string,
  addresses: Extract<Addresses, { hosts: unknown }>,
  options: ReadOptions,
): Promise<string | undefined> {
  const [all, sidecars] = await Promise.all([
    reader.list(nodes, { ...options, pageSize: nodesPage, withoutArrays: ['images', 'managedFields'] }),
    reader.list(csiAddonsNodes, { ...options, pageSize: nodesPage }),
  ]);
  const shared = sharedWith(addresses.hosts, uid, all.items, sidecars.items);
  return shared && `node ${shared.node} has the address ${shared.host}, too, and would be fenced as well`;
}

const noResources = 'nothing can be written to Kubernetes from here';

function noClass(name: string): string {
  return `there is no NetworkFenceClass ${name} that names a CSI driver`;
}

function refusedBy({ detail }: FenceRefusal): { outcome: 'failed'; detail: string } {
  return { outcome: 'failed', detail };
}

function failed(detail: string, permanent = false): { outcome: 'failed'; detail: string; permanent?: true } {
  return { outcome: 'failed', detail, ...(permanent && { permanent: true as const }) };
}

function waiting(detail: string): { outcome: 'waiting'; detail: string; retryAfterMs: number } {
  return { outcome: 'waiting', detail, retryAfterMs: lookEveryMs };
}

function notReady(detail: string, mayAct: FenceCheck['mayAct']): FenceCheck {
  return { outcome: 'not-ready', machine: 'unknown', power: 'unknown', mayAct, detail };
}

function evidence(clock: Clock, witness: string, said: string): FenceEvidence {
  return { witness, said, at: new Date(clock.wallTime()).toISOString() };
}

/** In a driver's own words, which may hold whatever its storage said. */
function shortened(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 197)}...`;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
