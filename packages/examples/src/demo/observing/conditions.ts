// What the story waits for, read off the journal.
import type { TakeoverRecord } from '@liberator/core';
import { first, latest } from './journal.ts';
import type { Entry } from './observation.ts';

/** A node whose heartbeat was never seen can't fall silent. */
export function everyNodeBeats(entries: readonly Entry[], nodes: readonly string[]): boolean {
  return nodes.every((node) => first(entries, 'heartbeat', (entry) => entry.node === node) !== undefined);
}

/** Somebody leads, and nothing keeps it from deciding. */
export function leaderSees(entries: readonly Entry[]): boolean {
  const leader = latest(entries, 'leads')?.agent;
  return latest(entries, 'sight', ({ agent }) => agent === leader)?.blind.length === 0;
}

const replicas = 3;

/** Nobody is left to do anything. */
export function allAgentsEnded(entries: readonly Entry[]): boolean {
  return entries.filter(({ kind }) => kind === 'agent-ended').length >= replicas;
}

/** The takeover of the node that was crashed, as it was last seen; a cluster may remember others from before. */
export function takeoverOf(entries: readonly Entry[]): TakeoverRecord | undefined {
  const crash = first(entries, 'crashed');
  if (crash === undefined) return undefined;
  return latest(entries, 'record', ({ at, record }) => at >= crash.at && record.node.name === crash.node)
    ?.record;
}

/** For how long a crashed node has sent no heartbeat; undefined once somebody has called it dead. */
export function silenceOf(entries: readonly Entry[], node: string, now: number): number | undefined {
  const isDead = latest(entries, 'health', (entry) => entry.node === node)?.to === 'dead';
  const heartbeat = latest(entries, 'heartbeat', (entry) => entry.node === node);
  return isDead || heartbeat === undefined ? undefined : now - heartbeat.at;
}
