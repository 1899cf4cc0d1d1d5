// What proofs that cut a node off from some storage are good for: they free what they cover, and end the fence only where they cover all.

import type { Pod, VolumeAttachment } from '../kubernetes/objects.ts';
import type { AffectedPod } from '../pods/affected-pod.ts';
import { isKept, mustGo } from '../pods/affected-pods.ts';
import { beyondIsolation, type PodVolume, volumesOf } from '../pods/written-volumes.ts';
import type { LiveRead } from '../term/live-read.ts';
import { describePod } from './describe-pod.ts';
import { listPods } from './nothing-left.ts';
import { deletePods } from './pod-deletion.ts';
import type { Isolation, IsolationProof, TakeoverRecord } from './record.ts';
import { done, held, type StepContext, type StepResult, wait } from './step.ts';

/** So many things beyond a proof are named: a record is no list of all pods of a node. */
const namedBeyond = 20;

/** Before what is covered is let go of, and the next rung has its turn. */
const askAgainSoonMs = 100;

/** What is on a node, by whether a proof covers it. */
interface Coverage {
  /** Pods that have to go and can do no harm any more. */
  readonly covered: readonly LiveRead<Pod>[];
  /** Everything else that a mark on the Node, or its deletion, would free; for people. */
  readonly beyond: readonly string[];
}

/** The proofs with one more: the last of each fencer counts. */
function withProof(isolation: Isolation | undefined, proof: IsolationProof): readonly IsolationProof[] {
  return [...(isolation?.proofs ?? []).filter(({ fencer }) => fencer !== proof.fencer), proof];
}

function driversIn(proofs: readonly IsolationProof[]): readonly string[] {
  return [...new Set(proofs.flatMap(({ csiDrivers }) => csiDrivers))].sort();
}

/**
 * What a fencer's proof for some CSI drivers leaves to do: the end of the step when it covers all that is on the node, together
 * with those before it; else findings to go on with.
 */
export async function weighed(
  context: StepContext,
  proof: IsolationProof,
  detail: string,
): Promise<StepResult> {
  const { isolation } = context.record;
  const proofs = withProof(isolation, proof);
  const { beyond } = await coverageOn(context, driversIn(proofs), await listPods(context));
  if (beyond.length === 0) return covered(proofs, isolation, detail);
  const findings = { isolation: { ...isolation, proofs, beyond: named(beyond) } };
  return { ...wait(`${proof.fencer}: ${detail}`, askAgainSoonMs), findings };
}

/**
 * Lets go of pods that the proofs on record cover, while others stay. The Node gets no mark meanwhile and is not deleted: either would
 * free all of them. What Kubernetes does at once for volumes of a Node that is marked takes it six minutes then.
 *
 * To be called right after a live look at the node, which is dead.
 *
 * @returns what that came to, or the isolation as it is now, if anything is on record, to go on with
 */
export async function freeCovered(context: StepContext): Promise<
  | { readonly over: StepResult }
  | {
      readonly isolation: Isolation | undefined;
      /** There is nothing more to be done about what is covered. */
      readonly isDone: boolean;
    }
> {
  const { record, looks } = context;
  if (record.isolation === undefined) return { isolation: undefined, isDone: true };
  const { proofs } = record.isolation;
  const pods = looks.pods ?? (await listPods(context));
  const { covered: free, beyond } = await coverageOn(context, driversIn(proofs), pods);
  if (beyond.length === 0)
    return { over: covered(proofs, record.isolation, 'nothing else is left on the node') };
  const isolation: Isolation = { ...record.isolation, beyond: named(beyond) };
  if (free.length === 0) return { isolation, isDone: true };
  const fresh = free.filter(({ object }) => record.pods.every(({ uid }) => uid !== object.metadata.uid));
  if (isolation.freed !== true || fresh.length > 0) {
    const known = [...record.pods, ...(await described(context, fresh))];
    const isOurs = await context.putOnRecord({ pods: known, isolation: { ...isolation, freed: true } });
    // Not before the node is looked at anew: the write may have taken its time.
    return {
      over: isOurs
        ? wait('about to let go of what is covered', 0)
        : wait('somebody else has the record', 1_000),
    };
  }
  const holds = await deletePods(context, free);
  if (holds.length > 0) return { over: held(holds) };
  return { isolation, isDone: free.every(({ object }) => isForced(object)) };
}

/** It can't be hastened any more: whatever holds it is somebody else's. */
function isForced({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;
}

/** What stays, in a sentence that goes before what else is waited for; empty when nothing does. */
export function isolationWords({ isolation, pods }: TakeoverRecord): string {
  if (isolation === undefined || isolation.beyond.length === 0) return '';
  const freed = isolation.freed === true ? `; let go of: ${pods.map(nameOf).join(', ')}` : '';
  return `cut off from ${driversIn(isolation.proofs).join(', ')} only, which does not cover ${isolation.beyond.join(', ')}${freed}`;
}

/** What on the node is beyond the proof of the record, by what is there now; empty when nothing is, or the proof covers everything. */
export async function beyondProof(
  context: StepContext,
  csiDrivers: readonly string[],
  pods: readonly LiveRead<Pod>[],
): Promise<readonly string[]> {
  return named((await coverageOn(context, csiDrivers, pods)).beyond);
}

/** Pods that a proof for these drivers doesn't cover. */
export async function podsBeyond(
  context: StepContext,
  csiDrivers: readonly string[],
  pods: readonly LiveRead<Pod>[],
): Promise<readonly Pod[]> {
  const judged = await judge(context, csiDrivers, pods);
  return judged.filter(({ why }) => why !== undefined).map(({ pod }) => pod.object);
}

/** A takeover that has let go of something is not undone when its node comes back: it lets the rest be, and watches for what it freed. */
export function onceFreed({ isolation }: TakeoverRecord, result: StepResult): StepResult {
  if (isolation?.freed !== true || (result.outcome !== 'undo' && result.outcome !== 'overtaken'))
    return result;
  return {
    outcome: 'skipped',
    detail: `nothing more is let go of: ${result.detail}`,
    findings: { isolation: { ...isolation, over: result.detail } },
  };
}

function covered(
  proofs: readonly IsolationProof[],
  isolation: Isolation | undefined,
  detail: string,
): StepResult {
  const drivers = driversIn(proofs);
  const fencer = proofs.at(-1)?.fencer;
  return done(`proof: isolated from ${drivers.join(', ')}, which covers all that is written to (${detail})`, {
    proof: 'isolated',
    isolatedFrom: drivers,
    isolation: { ...isolation, proofs, beyond: [] },
    proofEvidence: proofs.flatMap(({ evidence = [] }) => evidence),
    ...(fencer !== undefined && { fencer }),
  });
}

interface Judged {
  readonly pod: LiveRead<Pod>;
  readonly volumes: readonly PodVolume[];
  /** Why it is not covered. */
  readonly why: string | undefined;
}

/** So many pods at a time: each is a few requests. */
const atOnce = 5;

async function judge(
  context: StepContext,
  csiDrivers: readonly string[],
  pods: readonly LiveRead<Pod>[],
): Promise<readonly Judged[]> {
  const { cluster, term } = context;
  const reads = {
    readClaim: (namespace: string, name: string) => cluster.readClaim(term, namespace, name),
    readVolume: (name: string) => cluster.readVolume(term, name),
  };
  const concerned = pods.filter(({ object }) => mustGo(object) && !isKept(object));
  const all: Judged[] = [];
  for (let first = 0; first < concerned.length; first += atOnce) {
    const some = concerned.slice(first, first + atOnce).map(async (pod): Promise<Judged> => {
      const volumes = await volumesOf(reads, pod.object);
      return { pod, volumes, why: beyondIsolation(pod.object, volumes, csiDrivers) };
    });
    all.push(...(await Promise.all(some)));
  }
  return all;
}

async function coverageOn(
  context: StepContext,
  csiDrivers: readonly string[],
  pods: readonly LiveRead<Pod>[],
): Promise<Coverage> {
  const { cluster, term, record } = context;
  const judged = await judge(context, csiDrivers, pods);
  // Whose volumes they are is known, and so is whether they matter.
  const known = new Set([
    ...judged.flatMap(({ volumes }) => volumes.flatMap(({ volume = [] }) => volume)),
    ...record.pods.flatMap(({ volumes }) => volumes.flatMap(({ volume = [] }) => volume)),
  ]);
  const attachments = await cluster.listAttachmentsOn(term, record.node.name);
  return {
    covered: judged.filter(({ why }) => why === undefined).map(({ pod }) => pod),
    beyond: [
      ...judged.flatMap(({ pod, why }) =>
        why === undefined ? [] : [`pod ${nameOf(pod.object.metadata)} (${why})`],
      ),
      ...attachments
        .filter(
          ({ spec }) => isBeyond(spec, csiDrivers) && !known.has(spec?.source?.persistentVolumeName ?? ''),
        )
        .map(
          ({ spec }) =>
            `volume ${spec?.source?.persistentVolumeName ?? 'without a name'} (${spec?.attacher ?? 'of nobody'})`,
        ),
    ],
  };
}

/** A pod that somebody deleted by force left its volume behind, and its processes. */
function isBeyond(spec: VolumeAttachment['spec'], csiDrivers: readonly string[]): boolean {
  return !csiDrivers.includes(spec?.attacher ?? '');
}

async function described(
  { cluster, term }: StepContext,
  pods: readonly LiveRead<Pod>[],
): Promise<readonly AffectedPod[]> {
  const all: AffectedPod[] = [];
  for (const { object } of pods) all.push(await describePod(term, cluster, object));
  return all;
}

function named(beyond: readonly string[]): readonly string[] {
  const rest = beyond.length - namedBeyond;
  return rest > 0 ? [...beyond.slice(0, namedBeyond), `${rest} more`] : beyond;
}

function nameOf({
  namespace = 'default',
  name,
}: {
  readonly namespace?: string;
  readonly name: string;
}): string {
  return `${namespace}/${name}`;
}
