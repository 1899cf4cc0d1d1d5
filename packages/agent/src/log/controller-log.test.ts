import { type Clock, type HealthChange, KubernetesError, nodes } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { assessment, puppetController, takeoverRecord } from '../testing/puppet-controller.ts';
import { logController } from './controller-log.ts';
import { createLogger } from './logger.ts';

function logged(level: 'info' | 'debug' = 'info') {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ level, format: 'json' }, 'me', {
    write: (line) => {
      const { time: _, identity: __, ...rest } = JSON.parse(line) as Record<string, unknown>;
      lines.push(rest);
    },
  });
  const controller = puppetController();
  const time = { now: 0 };
  logController(controller, logger, { now: () => time.now } as Clock);
  return { controller, lines, time };
}

const change: HealthChange = {
  node: 'node-1',
  uid: 'uid-1',
  from: 'suspect',
  to: 'dead',
  assessment: assessment(),
};

describe('the log of a controller', () => {
  it('tells health with the evidence and every reason', () => {
    const { controller, lines } = logged();
    controller.tell('health', change);
    controller.tell('health', {
      ...change,
      from: 'dead',
      to: 'alive',
      assessment: assessment({ health: 'alive', evidence: 'none', reasons: [] }),
    });
    expect(lines).toEqual([
      {
        level: 'warn',
        event: 'health',
        node: 'node-1',
        uid: 'uid-1',
        from: 'suspect',
        to: 'dead',
        evidence: 'unreachable',
        reasons: ['Lease not renewed for 25s', 'host silent to 3 probes'],
        hostUp: false,
        msg: 'node-1 is dead: Lease not renewed for 25s, host silent to 3 probes',
      },
      expect.objectContaining({ level: 'info', to: 'alive', msg: 'node-1 is alive' }),
    ]);
  });

  it('tells a hold with the reasons of all guards that hold', () => {
    const { controller, lines } = logged();
    controller.tell('decision', {
      node: 'node-1',
      uid: 'uid-1',
      deathId: 'abc',
      decision: {
        action: 'hold',
        verdicts: [
          { guard: 'blind', verdict: { outcome: 'pass' } },
          { guard: 'paused', verdict: { outcome: 'hold', reason: 'the node is paused: disk swap' } },
          { guard: 'budget', verdict: { outcome: 'hold', reason: '3 of 5 nodes are dead' } },
        ],
        nextCheckAt: undefined,
      },
    });
    expect(lines).toEqual([
      {
        level: 'warn',
        event: 'decision',
        node: 'node-1',
        uid: 'uid-1',
        deathId: 'abc',
        action: 'hold',
        reasons: ['paused: the node is paused: disk swap', 'budget: 3 of 5 nodes are dead'],
        msg: 'not taking over node-1: paused: the node is paused: disk swap; budget: 3 of 5 nodes are dead',
      },
    ]);
  });

  it('tells each move of a takeover, and its end with result and duration', () => {
    const { controller, lines } = logged();
    const record = takeoverRecord();
    controller.tell('takeover', { record, step: 'cordon', phase: 'started', detail: '' });
    const closed = takeoverRecord({ result: 'recovered', closedAt: '2026-01-01T00:01:30.000Z' });
    controller.tell('takeover', { record: closed, step: 'close', phase: 'done', detail: 'recovered' });
    const common = { event: 'takeover', node: 'node-1', takeover: 'abc', deathId: 'abc', epoch: 7 };
    expect(lines).toEqual([
      {
        ...common,
        level: 'info',
        step: 'cordon',
        phase: 'started',
        msg: 'takeover abc of node-1: cordon started',
      },
      {
        ...common,
        level: 'info',
        step: 'close',
        phase: 'done',
        detail: 'recovered',
        result: 'recovered',
        durationMs: 90_000,
        msg: 'takeover abc of node-1 ended after 1m30s: recovered',
      },
    ]);
  });

  it('warns of a takeover that ended incomplete', () => {
    const { controller, lines } = logged();
    const closed = takeoverRecord({ result: 'incomplete', closedAt: '2026-01-01T00:10:00.000Z' });
    controller.tell('takeover', { record: closed, step: 'close', phase: 'done', detail: 'incomplete' });
    expect(lines).toEqual([expect.objectContaining({ level: 'warn', result: 'incomplete' })]);
  });

  it('tells a step that is retried every second once, and then with counts', () => {
    const { controller, lines, time } = logged();
    const record = takeoverRecord();
    for (; time.now <= 30_000; time.now += 1_000) {
      controller.tell('takeover', { record, step: 'release', phase: 'retrying', detail: 'no answer' });
    }
    expect(lines.map(({ level, times, msg }) => [level, times, msg])).toEqual([
      ['warn', undefined, 'takeover abc of node-1: release retrying: no answer'],
      ['warn', 10, 'takeover abc of node-1: release retrying: no answer (10 times since this was last told)'],
      ['warn', 20, 'takeover abc of node-1: release retrying: no answer (20 times since this was last told)'],
    ]);
  });

  it('tells who leads', () => {
    const { controller, lines } = logged();
    controller.tell('leadership', { identity: 'me', leader: 'other' });
    controller.tell('leadership', { identity: 'me', leader: '' });
    controller.tell('leadership', { identity: 'me', leader: 'me', epoch: 3 });
    expect(lines).toEqual([
      { level: 'info', event: 'leadership', leader: 'other', leading: false, msg: 'other leads' },
      { level: 'info', event: 'leadership', leader: '', leading: false, msg: 'nobody leads' },
      {
        level: 'info',
        event: 'leadership',
        leader: 'me',
        leading: true,
        epoch: 3,
        msg: 'leading in epoch 3',
      },
    ]);
  });

  it('tells blindness and sight, and once that every cache is filled', () => {
    const { controller, lines } = logged();
    controller.tell('sight', { blind: ['not all caches are synced'] });
    controller.ready = true;
    controller.tell('sight', { blind: [] });
    controller.tell('sight', { blind: ['the watch of Nodes is stale'] });
    expect(lines.map(({ level, event, blind }) => [level, event, blind])).toEqual([
      ['warn', 'sight', ['not all caches are synced']],
      ['info', 'ready', undefined],
      ['info', 'sight', []],
      ['warn', 'sight', ['the watch of Nodes is stale']],
    ]);
  });

  it('tells an error as one sentence with its code, and no stack', () => {
    const { controller, lines } = logged();
    const error = new KubernetesError({ verb: 'list', resource: nodes }, { status: 500 });
    controller.tell('error', { where: 'watch nodes', error, retryInMs: 1_234 });
    expect(lines).toEqual([
      {
        level: 'error',
        event: 'error',
        where: 'watch nodes',
        code: 'LIBERATOR_API_ERROR',
        retryInMs: 1_234,
        msg: 'watch nodes: could not list nodes: the API server answered 500; trying again in 1s',
      },
    ]);
  });

  it('adds the stack at the level debug alone', () => {
    const { controller, lines } = logged('debug');
    controller.tell('error', { where: 'listener', error: new TypeError('oh\nno') });
    expect(lines).toEqual([
      expect.objectContaining({ msg: 'listener: oh no', stack: expect.stringContaining('TypeError: oh') }),
    ]);
  });

  it('does not repeat an error that goes on', () => {
    const { controller, lines, time } = logged();
    for (; time.now < 3_600_000; time.now += 1_000) {
      controller.tell('error', { where: 'election', error: new Error(`no answer within ${time.now} ms`) });
    }
    expect(lines.length).toBeLessThan(15);
    expect(lines.at(-1)).toMatchObject({ times: 600 });
  });
});
