// Watches until every StatefulSet pod of the dead node is Ready again, and says what is in the way of those that aren't.
import type { KubernetesObject, Pod, StatefulSet } from '../../kubernetes/objects.ts';
import type { AffectedPod } from '../../pods/affected-pod.ts';
import { isKept } from '../../pods/affected-pods.ts';
import { whyNotReady } from '../../pods/readiness.ts';
import { whyUnwanted } from '../../pods/wanted.ts';
import { counted, namesOf } from '../../wording/numbers.ts';
import { describePinnings } from '../describe-pod.ts';
import { type LiveNode, readLiveNode } from '../life-signs.ts';
import { deletePods, describeStuck, leaveToEvictionMs } from '../pod-deletion.ts';
import { isAwaited } from '../record.ts';
import { done, isUnanswered, type PerformStep, type StepContext, wordsOf } from '../step.ts';

/** A pod needs seconds to be Ready. Each pause is as long as all before it, up to the longest: nothing waits for these looks. */
const firstPauseMs = 500;
const longestPauseMs = 3_000;

/** Until then nobody asks why there is no new pod yet: its controller makes one within moments, mostly. */
const beingMadeMs = 2_000;

/** A database may replay its log for long; but a leader can't watch one pod for ever. */
const patienceMs = 600_000;

/** Who replaces a StatefulSet, as to change what can't be changed, deletes it and makes it anew within moments. */
const setMayReturnMs = 5_000;

export const verify: PerformStep = async (context) => {
  const scene = new Scene(context);
  context.since('verified');
  const pods: AffectedPod[] = [];
  const obstacles: string[] = [];
  let isSoon = false;
  for (const before of context.record.pods) {
    const { pod, obstacle, soon } = await lookAt(scene, before);
    if (soon) isSoon = true;
    pods.push(pod);
    if (obstacle !== undefined) obstacles.push(`${pod.namespace}/${pod.name}: ${obstacle}`);
  }
  const findings = { pods };
  if (obstacles.length === 0) return done(summaryOf(pods), findings);
  const spentMs = context.spentMs();
  if (spentMs < patienceMs) {
    const longestMs = isSoon ? firstPauseMs : longestPauseMs;
    const retryAfterMs = Math.min(longestMs, Math.max(firstPauseMs, context.since('verified')));
    return { outcome: 'wait', detail: obstacles.join('; '), retryAfterMs, findings };
  }
  const detail = `not recovered: ${obstacles.join('; ')}`;
  return { outcome: 'done', detail, findings, left: obstacles };
};

function summaryOf(pods: readonly AffectedPod[]): string {
  const aside = (word: string, some: readonly AffectedPod[]): readonly string[] =>
    some.length === 0 ? [] : [`${word}: ${namesOf(some)}`];
  return [
    `Ready again: ${counted(pods.filter(({ replacement }) => replacement !== undefined).length, 'StatefulSet pod')}`,
    ...aside(
      'wanted no more',
      pods.filter(({ unwanted }) => unwanted !== undefined),
    ),
    ...aside(
      'kept',
      pods.filter(({ kept }) => kept === true),
    ),
    ...aside(
      'left to the takeover of the next death',
      pods.filter(({ handedTo }) => handedTo !== undefined),
    ),
  ].join('; ');
}

interface Look {
  readonly pod: AffectedPod;
  /** What it is still waited for; undefined when it isn't. */
  readonly obstacle?: string;
  /** Something is to be done about it, and the next look may be the one to do it. */
  readonly soon?: true;
}

/** What one look has read so far: much of it is the same for many pods. */
class Scene {
  readonly context: StepContext;
  readonly #sets = new Map<string, Promise<StatefulSet | undefined>>();
  readonly #namespaces = new Map<string, Promise<KubernetesObject | undefined>>();
  readonly #pods = new Map<string, Promise<readonly Pod[]>>();
  #node: Promise<LiveNode> | undefined;

  constructor(context: StepContext) {
    this.context = context;
  }

  /** The node that died, as it is now. */
  node(): Promise<LiveNode> {
    this.#node ??= readLiveNode(this.context);
    return this.#node;
  }

  /** What has this pod's name now. All that are looked for in its namespace are read at once, where that is allowed. */
  async podIn({ namespace, name }: AffectedPod): Promise<Pod | undefined> {
    const { cluster, term } = this.context;
    try {
      const pods = await once(this.#pods, namespace, () =>
        cluster.readPods(term, namespace, this.#namesIn(namespace)),
      );
      return pods.find(({ metadata }) => metadata.name === name);
    } catch (error) {
      term.assertValid();
      if (isUnanswered(error)) throw error;
      return cluster.readPod(term, namespace, name);
    }
  }

  #namesIn(namespace: string): readonly string[] {
    const there = this.context.record.pods.filter((pod) => pod.namespace === namespace && isLookedFor(pod));
    return there.map(({ name }) => name);
  }

  set(namespace: string, name: string): Promise<StatefulSet | undefined> {
    const { cluster, term } = this.context;
    return once(this.#sets, `${namespace}/${name}`, () => cluster.readStatefulSet(term, namespace, name));
  }

  namespace(name: string): Promise<KubernetesObject | undefined> {
    const { cluster, term } = this.context;
    return once(this.#namespaces, name, () => cluster.readNamespace(term, name));
  }
}

function once<T>(known: Map<string, Promise<T>>, key: string, read: () => Promise<T>): Promise<T> {
  const answer = known.get(key) ?? read();
  known.set(key, answer);
  return answer;
}

function isLookedFor({ unwanted: _, ...pod }: AffectedPod): boolean {
  return isAwaited(pod) && pod.handedTo === undefined;
}

/** What can't be asked about one pod is that pod's obstacle: the others are looked at all the same. */
async function lookAt(scene: Scene, before: AffectedPod): Promise<Look> {
  // Told anew at each look: a set that was scaled down may have been scaled up again.
  const { unwanted: _, ...pod } = before;
  if (!isLookedFor(pod)) return { pod };
  try {
    return await lookAtAwaited(scene, pod);
  } catch (error) {
    scene.context.term.assertValid();
    if (isUnanswered(error)) throw error;
    return { pod, obstacle: wordsOf(error) };
  }
}

async function lookAtAwaited(scene: Scene, pod: AffectedPod): Promise<Look> {
  const { context } = scene;
  const { clock, laterTakeoverWith } = context;
  const current = await scene.podIn(pod);
  const isOld = current?.metadata.uid === pod.uid;
  if (current !== undefined && isOld && isKept(current)) return { pod: { ...pod, kept: true } };

  const node = current?.spec?.nodeName;
  const obstacle =
    current === undefined ? `not recreated yet by StatefulSet ${pod.statefulSet}` : whyNotReady(current);
  if (
    current !== undefined &&
    node !== undefined &&
    obstacle === undefined &&
    !(isOld && (await isDead(scene)))
  ) {
    const readyAt = new Date(clock.wallTime()).toISOString();
    return { pod: { ...pod, replacement: { uid: current.metadata.uid, node, readyAt } } };
  }
  const later = current && laterTakeoverWith(current.metadata.uid);
  if (later !== undefined) return { pod: { ...pod, handedTo: later } };
  const isYoung = context.since('verified') < beingMadeMs && context.spentMs() < beingMadeMs;
  const { unwanted, unknown } = isYoung ? {} : await whyNobodyWants(scene, pod);
  if (unwanted !== undefined) return { pod: { ...pod, unwanted } };

  if (isOld) return { pod, obstacle: `the old pod is still there${await whatHolds(scene, current)}` };
  if (current !== undefined && node === context.record.node.name) {
    const again = await releaseAgain(scene, current);
    if (again !== undefined) return { pod, obstacle: again, soon: true };
  }
  if (node !== undefined) return { pod, obstacle: `${obstacle}${unknown ?? ''}` };
  const placed = isYoung ? pod : await withPinnings(context, pod);
  return { pod: placed, obstacle: `${obstacle}${pinnedNote(placed, obstacle)}${unknown ?? ''}` };
}

/** A pod without a place may lack one because of its volumes, each of which is read once. */
async function withPinnings({ term, cluster, volumes }: StepContext, pod: AffectedPod): Promise<AffectedPod> {
  try {
    const described = volumes.get(pod.uid) ?? (await describePinnings(term, cluster, pod));
    volumes.set(pod.uid, described);
    return { ...pod, volumes: described };
  } catch (error) {
    term.assertValid();
    if (isUnanswered(error)) throw error;
    return pod;
  }
}

/** Without an answer it is waited for: that somebody may not ask is no reason to stop looking at what has the pod's name. */
async function whyNobodyWants(
  scene: Scene,
  pod: AffectedPod,
): Promise<{ readonly unwanted?: AffectedPod['unwanted']; readonly unknown?: string }> {
  const { namespace, name, statefulSet = '' } = pod;
  try {
    const set = await scene.set(namespace, statefulSet);
    const unwanted = whyUnwanted(pod, set, await scene.namespace(namespace));
    const mayReturn =
      unwanted === 'set-deleted' &&
      scene.context.since(`set of ${namespace}/${name} deleted`) < setMayReturnMs;
    return mayReturn ? {} : { unwanted };
  } catch (error) {
    scene.context.term.assertValid();
    if (isUnanswered(error)) throw error;
    return { unknown: ` (nobody knows whether it is still wanted: ${wordsOf(error)})` };
  }
}

/** Ready is what Kubernetes says of a pod for most of a minute after its node has died. */
async function isDead(scene: Scene): Promise<boolean> {
  return (await scene.node()).state !== 'alive';
}

async function whatHolds({ context }: Scene, pod: Pod): Promise<string> {
  const { namespace, name } = pod.metadata;
  return describeStuck(context, pod).slice(`${namespace}/${name}`.length);
}

/**
 * A pod that tolerates everything may be put onto the very node that is dead and kept, where nobody will ever start it.
 * Undefined when that isn't so; else what becomes of it.
 */
async function releaseAgain(scene: Scene, { metadata }: Pod): Promise<string | undefined> {
  const { context } = scene;
  const { cluster, term, record, attempts, clock } = context;
  const live = await scene.node();
  if (live.state !== 'still-dead') return undefined;
  const where = `was put onto ${record.node.name}, which is dead`;
  const reasons = context.holds();
  if (reasons.length > 0) return `${where}; not released again: ${reasons.join('; ')}`;
  if (context.since(`${metadata.uid} there`) < leaveToEvictionMs) return where;
  // Counted by name: the scheduler may put one after the other there.
  const key = `release of ${metadata.namespace}/${metadata.name} again`;
  if (attempts.isDue(key, clock.now())) {
    const there = await cluster.listPodsOn(term, record.node.name);
    const pod = there.filter(({ object }) => object.metadata.uid === metadata.uid && !isKept(object));
    // What this look saw of the node first may be old by now: there may have been many pods before this one.
    if ((await readLiveNode(context)).state !== 'still-dead') return undefined;
    if (pod.length > 0) attempts.note(key, clock.now());
    const holds = await deletePods(context, pod);
    if (holds.length > 0) return `${where}; not released again: ${holds.join('; ')}`;
    const refused = attempts.problem(metadata.uid);
    if (refused !== undefined) return `${where}; not released again: ${refused}`;
  }
  return `${where}; released again`;
}

/** What a scheduler says is the cause. Only where that is about a volume, or nothing yet, is it worth saying which one. */
function pinnedNote({ volumes }: AffectedPod, said = ''): string {
  const pinned = volumes.find(({ pinnedTo }) => pinnedTo !== undefined);
  if (pinned === undefined || (said.includes(': ') && !said.includes('volume'))) return '';
  return ` (volume ${pinned.volume ?? pinned.claim} can only be used on ${pinned.pinnedTo?.join(', ')})`;
}
