// A controller that tells what a test makes it tell: the agent's listeners can't know the difference.
import { EventEmitter } from 'node:events';
import type { Assessment, Controller, ControllerEvents, TakeoverRecord } from '@liberator/core';

type Listened = Pick<
  Controller,
  | 'on'
  | 'ready'
  | 'leading'
  | 'fleet'
  | 'blind'
  | 'takeoversUnderWay'
  | 'takeoversVerifying'
  | 'recordsSetAside'
  | 'checkableFencers'
  | 'fencersNotReady'
  | 'lookedAt'
>;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface PuppetController extends Writable<Listened> {
  tell<E extends keyof ControllerEvents>(event: E, payload: Parameters<ControllerEvents[E]>[0]): void;
}

export function puppetController(): PuppetController {
  const emitter = new EventEmitter();
  const puppet = {
    ready: false,
    leading: undefined,
    fleet: { nodes: new Map() },
    blind: [],
    takeoversUnderWay: [],
    takeoversVerifying: [],
    recordsSetAside: [],
    checkableFencers: [],
    fencersNotReady: new Map(),
    lookedAt: undefined,
    on: (event: string, listener: (payload: unknown) => void) => emitter.on(event, listener),
    tell: (event: string, payload: unknown) => emitter.emit(event, payload),
  };
  return puppet as unknown as PuppetController;
}

export function assessment(more: Partial<Assessment> = {}): Assessment {
  return {
    health: 'dead',
    evidence: 'unreachable',
    reasons: ['Lease not renewed for 25s', 'host silent to 3 probes'],
    hostUp: false,
    silentSince: 0,
    nextCheckAt: undefined,
    ...more,
  };
}

export function takeoverRecord(more: Partial<TakeoverRecord> = {}): TakeoverRecord {
  return {
    version: 1,
    id: 'abc',
    deathId: 'abc',
    node: { name: 'node-1', uid: 'uid-1', bootId: 'boot-1' },
    lastHeartbeat: '',
    epoch: 7,
    openedAt: '2026-01-01T00:00:00.000Z',
    evidence: 'unreachable',
    reasons: [],
    verdicts: [],
    policy: { name: 'all', node: 'delete', proof: 'optional', drivers: ['none'] },
    pods: [],
    steps: {},
    ...more,
  };
}
