// What is known of all nodes, as a value, and everything that is counted of them together: a node put in keeps it true. Pure.
import { OrderedMap, Map as PersistentMap, Set as PersistentSet } from 'immutable';
import type { Node } from '../kubernetes/objects.ts';
import { confirmedByHuman, confirmedDeadAnnotation } from '../marks/confirmed.ts';
import type { Agenda } from './agenda.ts';
import { type Deaths, noDeaths, sawNode } from './deaths.ts';
import { heardOf, type UnheardNode } from './hearing.ts';
import { type NodeState, observe } from './judgement.ts';
import type { KnownNode, Watched } from './known-node.ts';
import { endpointsOf } from './reused-address.ts';

/**
 * Keeps one state per Node object, by uid: a node that registers anew under an old name is another node. Every replica keeps
 * one, leader or not, so that a new leader knows the past already.
 */
export interface Ledger<P extends Watched = Watched> {
  /** By name. */
  readonly nodes: PersistentMap<string, KnownNode<P>>;
  /** `renewTime` of Leases whose Node is not there, by name. */
  readonly orphanLeases: PersistentMap<string, string>;
  /** By uid, Nodes that went, as they were last seen; from the one that went first to the one that went last. */
  readonly gone: OrderedMap<string, KnownNode<P>>;
  /** Who died since this replica began to watch, for as long as any policy's budget may ask. */
  readonly deaths: Deaths;
  /** Monotonic time since when this replica has watched. */
  readonly watchedSince: number;
  /** When any node's Lease last reached us, of whichever node; undefined before the first. */
  readonly leaseHeardAt: number | undefined;
  /** When each node has to be looked at though nothing happens. An entry counts while it is the node's `checkAt`. */
  readonly agenda: Agenda;

  /** Names of nodes that are not simply alive. */
  readonly unwell: PersistentSet<string>;
  /** Names of nodes on which a human says that they are dead. */
  readonly confirmed: PersistentSet<string>;
  /** How many take part in the question whether we see, and have been heard. */
  readonly heard: number;
  /** Of those, by name, who has been silent for longer than a heartbeat may take, and since when. */
  readonly silent: PersistentMap<string, number>;
  /** By name, who takes part and was never heard. */
  readonly unheard: PersistentMap<string, UnheardNode>;
  /** Names of nodes whose host no probe of ours has heard yet. */
  readonly hostsUnheard: PersistentSet<string>;
  /** Names of the nodes that claim an address and port. */
  readonly addresses: PersistentMap<string, PersistentSet<string>>;
  /** How many nodes there are in each zone that a label names. */
  readonly zones: PersistentMap<string, number>;
}

/** As in Kubernetes. */
export const zoneLabel = 'topology.kubernetes.io/zone';

export function newLedger<P extends Watched>(at: number): Ledger<P> {
  return {
    nodes: PersistentMap(),
    orphanLeases: PersistentMap(),
    gone: OrderedMap(),
    deaths: noDeaths,
    watchedSince: at,
    leaseHeardAt: undefined,
    agenda: undefined,
    unwell: PersistentSet(),
    confirmed: PersistentSet(),
    heard: 0,
    silent: PersistentMap(),
    unheard: PersistentMap(),
    hostsUnheard: PersistentSet(),
    addresses: PersistentMap(),
    zones: PersistentMap(),
  };
}

/** A node in place of what it was before, in everything that is kept of all of them together. */
export function put<P extends Watched>(
  ledger: Ledger<P>,
  before: KnownNode<P> | undefined,
  given: KnownNode<P> | undefined,
  at: number,
): Ledger<P> {
  const name = (given ?? before)?.node.metadata.name ?? '';
  const after = given && withConfirmation(given, at);
  const isSameObject = before?.node === after?.node;
  return {
    ...ledger,
    nodes: after === undefined ? ledger.nodes.delete(name) : ledger.nodes.set(name, after),
    deaths: after === undefined ? ledger.deaths : sawNode(ledger.deaths, name, signOf(after.state)),
    unwell: member(ledger.unwell, name, after !== undefined && after.health !== 'alive'),
    hostsUnheard: member(ledger.hostsUnheard, name, after !== undefined && !after.hostHeard),
    ...hearingWith(ledger, name, before, after),
    ...(!isSameObject && {
      confirmed: member(ledger.confirmed, name, isMarkedDead(after?.node)),
      addresses: addressesWith(ledger.addresses, name, before?.node, after?.node),
      zones: zonesWith(ledger.zones, zoneOf(before?.node), zoneOf(after?.node)),
    }),
  };
}

/** A confirmation names one death. When the heart beats again, the death and with it the confirmation is void. */
function withConfirmation<P extends Watched>(known: KnownNode<P>, at: number): KnownNode<P> {
  const { node, state } = known;
  const confirmed = isMarkedDead(node) && confirmedByHuman(node.metadata.annotations, known.deathId);
  if (confirmed === (state.proof !== undefined)) return known;
  return known.with({
    state: observe(state, confirmed ? { kind: 'proof', at, by: 'a human' } : { kind: 'proof-withdrawn', at }),
  });
}

function isMarkedDead(node: Node | undefined): boolean {
  return node?.metadata.annotations?.[confirmedDeadAnnotation] !== undefined;
}

function signOf({ renewTime, ready }: NodeState): { renewTime: string | undefined; ready: boolean } {
  return { renewTime, ready: ready === 'True' };
}

function hearingWith<P extends Watched>(
  ledger: Ledger<P>,
  name: string,
  before: KnownNode<P> | undefined,
  after: KnownNode<P> | undefined,
): Pick<Ledger<P>, 'heard' | 'silent' | 'unheard'> {
  const [was, is] = [before && heardOf(before), after && heardOf(after)];
  const { heard, silent, unheard } = ledger;
  return {
    heard: heard + Number(isHeard(is)) - Number(isHeard(was)),
    silent: was === is || was === undefined ? silent : silent.delete(name),
    unheard:
      typeof is === 'object'
        ? unheard.set(name, is)
        : typeof was === 'object'
          ? unheard.delete(name)
          : unheard,
  };
}

function isHeard(heard: ReturnType<typeof heardOf> | undefined): boolean {
  return heard === 'now' || typeof heard === 'number';
}

function addressesWith(
  addresses: Ledger['addresses'],
  name: string,
  before: Node | undefined,
  after: Node | undefined,
): Ledger['addresses'] {
  const none: ReadonlySet<string> = new Set();
  const [was, is] = [before ? endpointsOf(before) : none, after ? endpointsOf(after) : none];
  const left = [...was].filter((endpoint) => !is.has(endpoint));
  if (left.length === 0 && was.size === is.size) return addresses;
  return addresses.withMutations((changed) => {
    for (const endpoint of left) {
      const names = changed.get(endpoint)?.delete(name);
      if (names === undefined || names.isEmpty()) changed.delete(endpoint);
      else changed.set(endpoint, names);
    }
    for (const endpoint of is) changed.set(endpoint, (changed.get(endpoint) ?? PersistentSet()).add(name));
  });
}

function zoneOf(node: Node | undefined): string | undefined {
  return node?.metadata.labels?.[zoneLabel];
}

function zonesWith(zones: Ledger['zones'], was: string | undefined, is: string | undefined): Ledger['zones'] {
  if (was === is) return zones;
  return zones.withMutations((changed) => {
    if (is !== undefined) changed.set(is, (changed.get(is) ?? 0) + 1);
    if (was === undefined) return;
    const left = (changed.get(was) ?? 1) - 1;
    if (left === 0) changed.delete(was);
    else changed.set(was, left);
  });
}

function member(names: PersistentSet<string>, name: string, belongs: boolean): PersistentSet<string> {
  return belongs ? names.add(name) : names.delete(name);
}
