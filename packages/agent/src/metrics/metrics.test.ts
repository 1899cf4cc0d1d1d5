import { readFileSync } from 'node:fs';
import { type Decision, type LeaderTerm, type Node, nodes } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import {
  assessment,
  type PuppetController,
  puppetController,
  takeoverRecord,
} from '../testing/puppet-controller.ts';
import { Metrics } from './metrics.ts';

function watched(): { metrics: Metrics; controller: PuppetController } {
  const metrics = new Metrics('1.2.3');
  const controller = puppetController();
  metrics.watch(controller);
  return { metrics, controller };
}

/** The lines about one metric, without its help: `name{labels} value`. */
async function linesOf(metrics: Metrics, name: string): Promise<readonly string[]> {
  const text = await metrics.registry.metrics();
  return text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
}

function held(...guards: readonly string[]): Decision {
  return {
    action: guards.length === 0 ? 'act' : 'hold',
    verdicts: guards.map((guard) => ({ guard, verdict: { outcome: 'hold', reason: 'because' } })),
    nextCheckAt: undefined,
  };
}

type FleetNode = PuppetController['fleet']['nodes'] extends ReadonlyMap<string, infer T> ? T : never;

function fleetOf(...all: readonly { name: string; health: FleetNode['health'] | 'unselected' }[]) {
  const known = all.map(({ name, health }) => {
    const selected = health !== 'unselected';
    const node: Node = { metadata: { name, uid: `${name}-uid`, resourceVersion: '1' } };
    const judged = selected ? assessment({ health: health === 'returning' ? 'alive' : health }) : undefined;
    return [name, { node, health: selected ? health : 'alive', assessment: judged }] as const;
  });
  return { nodes: new Map(known) } as unknown as PuppetController['fleet'];
}

const leading = { epoch: 7 } as LeaderTerm;

describe('the metrics', () => {
  it('say whether this replica is ready, whether it leads and in which epoch', async () => {
    const { metrics, controller } = watched();
    expect(await linesOf(metrics, 'liberator_ready')).toEqual(['liberator_ready 0']);
    expect(await linesOf(metrics, 'liberator_leader')).toEqual(['liberator_leader 0']);
    expect(await linesOf(metrics, 'liberator_leader_epoch')).toEqual(['liberator_leader_epoch -1']);
    controller.ready = true;
    controller.leading = leading;
    expect(await linesOf(metrics, 'liberator_ready')).toEqual(['liberator_ready 1']);
    expect(await linesOf(metrics, 'liberator_leader')).toEqual(['liberator_leader 1']);
    expect(await linesOf(metrics, 'liberator_leader_epoch')).toEqual(['liberator_leader_epoch 7']);
  });

  it('tell how many records the leader has set aside, by what is wrong with them', async () => {
    const { metrics, controller } = watched();
    const name = 'liberator_records_set_aside';
    expect(await linesOf(metrics, name)).toEqual([`${name}{kind="damaged"} 0`, `${name}{kind="newer"} 0`]);
    controller.recordsSetAside = [{ name: 'a', node: undefined, kind: 'newer', problem: 'version 2' }];
    expect(await linesOf(metrics, name)).toEqual([`${name}{kind="damaged"} 0`, `${name}{kind="newer"} 1`]);
    controller.recordsSetAside = [];
    expect(await linesOf(metrics, name)).toEqual([`${name}{kind="damaged"} 0`, `${name}{kind="newer"} 0`]);
  });

  it('count leaders, and not the times between them', async () => {
    const { metrics, controller } = watched();
    for (const leader of ['a', '', 'b']) controller.tell('leadership', { identity: 'a', leader });
    expect(await linesOf(metrics, 'liberator_leader_transitions_total')).toEqual([
      'liberator_leader_transitions_total 2',
    ]);
  });

  it('say how many nodes are in which health', async () => {
    const { metrics, controller } = watched();
    controller.fleet = fleetOf(
      { name: 'a', health: 'alive' },
      { name: 'b', health: 'alive' },
      { name: 'c', health: 'dead' },
      { name: 'd', health: 'returning' },
      { name: 'e', health: 'unselected' },
    );
    const expected = [
      'liberator_nodes{health="alive"} 2',
      'liberator_nodes{health="suspect"} 0',
      'liberator_nodes{health="dead"} 1',
      'liberator_nodes{health="returning"} 1',
      'liberator_nodes{health="unselected"} 1',
    ];
    expect(await linesOf(metrics, 'liberator_nodes')).toEqual(expected);
    expect(await linesOf(metrics, 'liberator_nodes')).toEqual(expected);
  });

  it('say why this replica is blind, without a series for every number', async () => {
    const { metrics, controller } = watched();
    controller.blind = ['3 of 5 node Leases fell silent together'];
    expect(await linesOf(metrics, 'liberator_blind')).toEqual(['liberator_blind 1']);
    expect(await linesOf(metrics, 'liberator_blind_reason')).toEqual([
      'liberator_blind_reason{reason="# of # node Leases fell silent together"} 1',
    ]);
    controller.blind = [];
    expect(await linesOf(metrics, 'liberator_blind')).toEqual(['liberator_blind 0']);
    expect(await linesOf(metrics, 'liberator_blind_reason')).toEqual([]);
  });

  it('say which guards hold how many dead nodes now, and count how often they did', async () => {
    const { metrics, controller } = watched();
    controller.leading = leading;
    controller.fleet = fleetOf({ name: 'a', health: 'dead' }, { name: 'b', health: 'dead' });
    const decided = (node: string, decision: Decision): void =>
      controller.tell('decision', { node, uid: `${node}-uid`, deathId: 'x', decision });
    decided('a', held('budget', 'evidence'));
    decided('b', held('budget'));
    expect(await linesOf(metrics, 'liberator_held_nodes')).toEqual([
      'liberator_held_nodes{guard="budget"} 2',
      'liberator_held_nodes{guard="evidence"} 1',
    ]);
    decided('a', held());
    expect(await linesOf(metrics, 'liberator_held_nodes')).toEqual([
      'liberator_held_nodes{guard="budget"} 1',
    ]);
    controller.fleet = fleetOf({ name: 'b', health: 'alive' });
    expect(await linesOf(metrics, 'liberator_held_nodes')).toEqual([]);
    expect(await linesOf(metrics, 'liberator_holds_total')).toEqual([
      'liberator_holds_total{guard="budget"} 2',
      'liberator_holds_total{guard="evidence"} 1',
    ]);
    expect(await linesOf(metrics, 'liberator_decisions_total')).toEqual([
      'liberator_decisions_total{action="act"} 1',
      'liberator_decisions_total{action="hold"} 2',
    ]);
  });

  it('ask for the fleet as often, however many nodes are held: each time makes a copy of it', async () => {
    const { metrics, controller } = watched();
    controller.leading = leading;
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const fleet = fleetOf(...names.map((name) => ({ name, health: 'dead' as const })));
    let asked = 0;
    Object.defineProperty(controller, 'fleet', {
      get: () => {
        asked++;
        return fleet;
      },
    });
    await metrics.registry.metrics();
    const askedWithoutAny = asked;
    for (const node of names)
      controller.tell('decision', { node, uid: `${node}-uid`, deathId: 'x', decision: held('budget') });
    asked = 0;
    expect(await linesOf(metrics, 'liberator_held_nodes')).toEqual([
      'liberator_held_nodes{guard="budget"} 8',
    ]);
    expect(asked).toBe(askedWithoutAny);
  });

  it('say nothing of held nodes once another replica leads', async () => {
    const { metrics, controller } = watched();
    controller.leading = leading;
    controller.fleet = fleetOf({ name: 'a', health: 'dead' });
    controller.tell('decision', { node: 'a', uid: 'a-uid', deathId: 'x', decision: held('budget') });
    controller.leading = undefined;
    expect(await linesOf(metrics, 'liberator_held_nodes')).toEqual([]);
    controller.leading = leading;
    expect(await linesOf(metrics, 'liberator_held_nodes')).toEqual([]);
  });

  it('count takeovers by result, and measure them and their steps', async () => {
    const { metrics, controller } = watched();
    controller.takeoversUnderWay = ['node-1'];
    controller.takeoversVerifying = ['node-2', 'node-3'];
    const record = takeoverRecord({
      steps: {
        fence: {
          startedAt: '2026-01-01T00:00:01.000Z',
          endedAt: '2026-01-01T00:00:04.000Z',
          epoch: 7,
          outcome: 'done',
        },
      },
      result: 'recovered',
      closedAt: '2026-01-01T00:00:12.000Z',
    });
    controller.tell('takeover', { record, step: 'fence', phase: 'retrying', detail: 'no answer' });
    controller.tell('takeover', { record, step: 'fence', phase: 'done', detail: '' });
    controller.tell('takeover', { record, step: 'close', phase: 'done', detail: 'recovered' });
    expect(await linesOf(metrics, 'liberator_takeovers_running')).toEqual(['liberator_takeovers_running 1']);
    expect(await linesOf(metrics, 'liberator_takeovers_verifying')).toEqual([
      'liberator_takeovers_verifying 2',
    ]);
    expect(await linesOf(metrics, 'liberator_takeovers_total')).toEqual([
      'liberator_takeovers_total{result="recovered"} 1',
      'liberator_takeovers_total{result="incomplete"} 0',
      'liberator_takeovers_total{result="undone"} 0',
      'liberator_takeovers_total{result="overtaken"} 0',
    ]);
    expect(await linesOf(metrics, 'liberator_takeover_duration_seconds_sum')).toEqual([
      'liberator_takeover_duration_seconds_sum{result="recovered"} 12',
    ]);
    expect(await linesOf(metrics, 'liberator_takeover_step_duration_seconds_sum')).toEqual([
      'liberator_takeover_step_duration_seconds_sum{step="fence"} 3',
    ]);
    expect(await linesOf(metrics, 'liberator_takeover_retries_total')).toEqual([
      'liberator_takeover_retries_total{step="fence"} 1',
    ]);
  });

  it('measure no time below zero when two leaders’ clocks differ', async () => {
    const { metrics, controller } = watched();
    const record = takeoverRecord({ result: 'undone', closedAt: '2025-12-31T23:59:59.000Z' });
    controller.tell('takeover', { record, step: 'close', phase: 'done', detail: 'undone' });
    expect(await linesOf(metrics, 'liberator_takeover_duration_seconds_sum')).toEqual([
      'liberator_takeover_duration_seconds_sum{result="undone"} 0',
    ]);
  });

  it('count errors by where, without a series for every node', async () => {
    const { metrics, controller } = watched();
    controller.tell('error', { where: 'takeover of node-1', error: new Error('x') });
    controller.tell('error', { where: 'takeover of node-2', error: new Error('x') });
    controller.tell('error', { where: `watch ${nodes.plural}`, error: new Error('x') });
    expect(await linesOf(metrics, 'liberator_errors_total')).toEqual([
      'liberator_errors_total{where="takeover"} 2',
      'liberator_errors_total{where="watch nodes"} 1',
    ]);
  });

  it('count probes, and pass on what they find', async () => {
    const { metrics } = watched();
    const probe = metrics.countProbes(async () => 'silent');
    const node: Node = { metadata: { name: 'a', uid: 'a-uid', resourceVersion: '1' } };
    expect(await probe(node, new AbortController().signal)).toBe('silent');
    expect(await linesOf(metrics, 'liberator_probes_total')).toEqual([
      'liberator_probes_total{result="silent"} 1',
    ]);
  });

  it('count no host as mute that was asked for no more than its host', async () => {
    const { metrics } = watched();
    const depths: unknown[] = [];
    const probe = metrics.countProbes(async (_node, _signal, depth) => {
      depths.push(depth);
      return 'mute';
    });
    const node: Node = { metadata: { name: 'a', uid: 'a-uid', resourceVersion: '1' } };
    const { signal } = new AbortController();
    expect(await probe(node, signal, { until: 'host' })).toBe('mute');
    await probe(node, signal, { until: 'kubelet' });
    await probe(node, signal);
    expect(depths).toEqual([{ until: 'host' }, { until: 'kubelet' }, undefined]);
    expect(await linesOf(metrics, 'liberator_probes_total')).toEqual([
      'liberator_probes_total{result="mute"} 2',
    ]);
  });

  it('are all in the README, with the same type, labels and words', async () => {
    const { metrics } = watched();
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const documented = readme.match(/^\| `liberator_\w+` +\|.*$/gm) ?? [];
    const registered = await metrics.registry.getMetricsAsJSON();
    const own = registered.filter(({ name }) => name.startsWith('liberator_'));
    expect(own.length).toBeGreaterThan(15);
    const rows = own.map(({ name, help, type }) => ({ name, type: String(type), help }));
    expect(documented.map(rowOf).toSorted(byName)).toEqual(rows.toSorted(byName));
    const others = registered.filter(({ name }) => !/^(liberator|process|nodejs)_/.test(name));
    expect(others).toEqual([]);
  });

  it('have exactly the labels that the README names', async () => {
    const { metrics } = watched();
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    for (const row of readme.match(/^\| `liberator_\w+` +\|.*$/gm) ?? []) {
      const [, name = '', , labels = ''] = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
      const metric = metrics.registry.getSingleMetric(name) as unknown as { readonly labelNames: string[] };
      expect(metric.labelNames, name).toEqual(labels === '' ? [] : labels.split(', '));
    }
  });
});

function rowOf(row: string): { name: string; type: string; help: string } {
  const [, name = '', type = '', , help = ''] = row.split('|').map((cell) => cell.trim());
  return { name: name.replaceAll('`', ''), type, help };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name.localeCompare(b.name);
}

describe('the metrics of a replica that only observes', () => {
  it('all say so, and count what would have been taken over', async () => {
    const metrics = new Metrics('1.2.3', 'observe');
    const controller = puppetController();
    metrics.watch(controller);
    const [decision, death] = [
      held(),
      { node: 'node-1', uid: 'u', deathId: 'd', policy: 'all', reasons: [] },
    ];
    controller.tell('observed', { ...death, decision });
    expect(await linesOf(metrics, 'liberator_observed_takeovers_total')).toEqual([
      'liberator_observed_takeovers_total{mode="observe"} 1',
    ]);
    const text = await metrics.registry.metrics();
    const samples = text.split('\n').filter((line) => line.startsWith('liberator_'));
    expect(samples.filter((line) => !line.includes('mode="observe"'))).toEqual([]);
    expect(samples.length).toBeGreaterThan(20);
  });
});
