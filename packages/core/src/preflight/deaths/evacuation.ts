// Where the pods of dead nodes could go, one after another: each takes room from those that come later. Pure.
import type { KubernetesObject, PersistentVolume, Pod, StatefulSet } from '../../kubernetes/objects.ts';
import { outOfServiceTaint } from '../../marks/taints.ts';
import { controllerOf, isBare, isKept, mustGo } from '../../pods/affected-pods.ts';
import { toleratesTaint } from '../../pods/tolerations.ts';
import { whyUnwanted } from '../../pods/wanted.ts';
import { type ClusterSnapshot, occupancyOf, type Place } from '../occupancy.ts';
import { fullness } from '../placement.ts';
import { chances, leftBehind, type TakeoverProspect } from '../prospects.ts';

/**
 * What would become of one pod.
 * - `moves`: another node takes what is made in its place.
 * - `nowhere`: no node would take it.
 * - `unwanted`: nobody makes it anew, since its StatefulSet or its namespace wants it no more.
 * - `lost`: nobody makes it anew, since it has no controller.
 * - `stuck`: a finalizer holds it, so nothing takes its place until somebody takes that off.
 * - `kept`: people want it kept, so it stays, and its Node with it.
 * - `kept-at-a-price`: the same; but volumes of the other pods come free only after Kubernetes' own six minutes.
 */
export interface PodFate {
  /** The pod's namespace. */
  readonly namespace: string;
  /** The pod's name. */
  readonly name: string;
  /** Who would make it anew; absent: nobody. */
  readonly controller?: { readonly kind: string; readonly name: string };
  /** What would become of it. */
  readonly fate: 'moves' | 'nowhere' | 'unwanted' | 'lost' | 'stuck' | 'kept' | 'kept-at-a-price';
  /** What holds it once it is deleted, on which the release gives up after a minute. Absent: nothing, or it is kept. */
  readonly finalizers?: readonly string[];
  /** Where it would most likely go: of those that would take it, the node that is least full. */
  readonly to?: string;
  /** How many nodes would take it at that moment. */
  readonly fits: number;
  /**
   * Nodes that die too, that Kubernetes still calls Ready at that moment, and that would take it: if it lands on one of them, it
   * comes free again only with that node.
   */
  readonly traps: readonly string[];
  /** Where it goes `nowhere`: what is in the way, the most frequent reason first. */
  readonly obstacles: TakeoverProspect['obstacles'];
  /** Data that stays on the dead node, while the pod would start elsewhere without it. */
  readonly leftBehind: readonly string[];
}

/** What a cluster has, with what tells whether a pod is still wanted. */
export interface InhabitedCluster extends ClusterSnapshot {
  /** All of them. Absent: every pod of a StatefulSet is taken to be wanted. */
  readonly statefulSets?: readonly StatefulSet[];
  /** All of them. Absent: none is taken to be going. */
  readonly namespaces?: readonly KubernetesObject[];
}

/** What leaves one node, and how many pods stay on it as its own. */
export interface LeavingPods {
  readonly pods: readonly PodFate[];
  readonly stays: number;
}

/** Empties dead nodes one by one. It remembers what it placed. */
export class Evacuation {
  readonly #cluster: InhabitedCluster;
  readonly #places: ReadonlyMap<string, Place>;
  readonly #all: readonly Place[];
  readonly #living: readonly Place[];
  readonly #dead: readonly Place[];
  readonly #volumesOf: (pod: Pod) => readonly PersistentVolume[];
  readonly #sets: ReadonlyMap<string, StatefulSet>;
  readonly #namespaces: ReadonlyMap<string, KubernetesObject>;

  /** @param dead - Names of nodes that take nothing any more, released or not. */
  constructor(cluster: InhabitedCluster, dead: ReadonlySet<string>) {
    const { places, volumesOf } = occupancyOf(cluster);
    this.#cluster = cluster;
    this.#places = new Map(places.map((place) => [place.node.metadata.name, place]));
    this.#all = places;
    this.#living = places.filter(({ node }) => !dead.has(node.metadata.name));
    this.#dead = places.filter(({ node }) => dead.has(node.metadata.name));
    this.#volumesOf = volumesOf;
    this.#sets = new Map((cluster.statefulSets ?? []).map((set) => [keyOf(set), set]));
    this.#namespaces = new Map((cluster.namespaces ?? []).map((one) => [one.metadata.name, one]));
  }

  /**
   * Says what becomes of each pod of a node, and puts those that move where they most likely go.
   *
   * @param isTrap - Whether a dead node of this name seems well to the scheduler at this moment. Default: none does.
   */
  empty(node: string, isTrap: (name: string) => boolean = () => false): LeavingPods {
    const place = this.#places.get(node);
    const leaving = (place?.pods ?? []).filter(mustGo).toSorted(byName);
    const stays = (place?.pods.length ?? 0) - leaving.length;
    // Nothing that is let go keeps others away any more, but for what is kept or held.
    const left = leaving.filter((pod) => isKept(pod) || finalizersOf(pod).length > 0);
    place?.pods.splice(0, place.pods.length, ...left);
    const traps = this.#dead.filter(
      (one) => one.node.metadata.name !== node && isTrap(one.node.metadata.name),
    );
    return { pods: leaving.map((pod) => this.#place(pod, traps)), stays };
  }

  #place(pod: Pod, dead: readonly Place[]): PodFate {
    const owner = controllerOf(pod);
    const about = {
      namespace: namespaceOf(pod),
      name: pod.metadata.name,
      ...(owner && { controller: { kind: owner.kind, name: owner.name } }),
    };
    const idle = { ...about, fits: 0, traps: [], obstacles: [], leftBehind: [] };
    if (isKept(pod)) {
      return { ...idle, fate: toleratesTaint(pod, outOfServiceTaint) ? 'kept' : 'kept-at-a-price' };
    }
    const finalizers = finalizersOf(pod);
    const held = finalizers.length > 0 ? { ...idle, finalizers } : undefined;
    if (held === undefined && isBare(pod)) return { ...idle, fate: 'lost' };
    if (this.#isUnwanted(pod)) return { ...(held ?? idle), fate: 'unwanted' };
    if (held !== undefined) return { ...held, fate: 'stuck' };
    const volumes = this.#volumesOf(pod);
    const { fits, obstacles } = chances(pod, volumes, this.#living, this.#all);
    const traps = dead.length === 0 ? [] : chances(pod, volumes, dead, this.#all).fits;
    const behind = leftBehind(pod, volumes);
    const to = this.#leastFull(fits);
    if (to === undefined) return { ...about, fate: 'nowhere', fits: 0, traps, obstacles, leftBehind: behind };
    to.pods.push(pod);
    const { name } = to.node.metadata;
    return { ...about, fate: 'moves', to: name, fits: fits.length, traps, obstacles: [], leftBehind: behind };
  }

  #isUnwanted(pod: Pod): boolean {
    const owner = controllerOf(pod);
    const namespace = namespaceOf(pod);
    const { statefulSets, namespaces } = this.#cluster;
    const home = namespaces === undefined ? nowhere : this.#namespaces.get(namespace);
    if (owner?.kind !== 'StatefulSet') return home?.metadata.deletionTimestamp !== undefined;
    if (statefulSets === undefined) return home === undefined;
    const set = this.#sets.get(`${namespace}/${owner.name}`);
    return whyUnwanted(pod.metadata, set, home) !== undefined;
  }

  #leastFull(names: readonly string[]): Place | undefined {
    let [best, least]: [Place | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
    for (const name of names) {
      const place = this.#places.get(name);
      if (place === undefined) continue;
      const full = fullness(place);
      const isEmptier = full < least || (full === least && place.pods.length < (best?.pods.length ?? 0));
      if (isEmptier) [best, least] = [place, full];
    }
    return best;
  }
}

/** The Job controller takes it off as soon as the pod is deleted. */
const takenOffByKubernetes = 'batch.kubernetes.io/job-tracking';

function finalizersOf({ metadata }: Pod): readonly string[] {
  return (metadata.finalizers ?? []).filter((name) => name !== takenOffByKubernetes);
}

/** In place of a namespace that nobody could read. */
const nowhere: KubernetesObject = { metadata: { name: '', uid: '', resourceVersion: '' } };

function byName(a: Pod, b: Pod): number {
  const [one, other] = [keyOf(a), keyOf(b)];
  return one < other ? -1 : Number(one > other);
}

function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace ?? 'default'}/${metadata.name}`;
}

function namespaceOf({ metadata }: Pod): string {
  return metadata.namespace ?? 'default';
}
