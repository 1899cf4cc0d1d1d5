import { KubernetesError, nodes, TransportError } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { type PuppetController, puppetController } from '../testing/puppet-controller.ts';
import { AgentHealth } from './health.ts';

function agent(): {
  controller: PuppetController;
  health: AgentHealth;
  stop: AbortController;
  clock: { now: number };
} {
  const controller = puppetController();
  const stop = new AbortController();
  const clock = { now: 1_000_000 };
  return { controller, stop, clock, health: new AgentHealth(controller, stop.signal, () => clock.now) };
}

const refusal = (status: 401 | 403): KubernetesError =>
  new KubernetesError({ verb: 'list', resource: nodes }, { status });

describe('liveness', () => {
  it('is well while the API server is waited for', () => {
    expect(agent().health.liveness()).toEqual({ ok: true, lines: ['ok: waiting for the API server'] });
  });

  it('is well while the controller looks around', () => {
    const { controller, health, clock } = agent();
    health.begin();
    controller.lookedAt = clock.now - 10_000;
    expect(health.liveness()).toEqual({
      ok: true,
      lines: ['ok: the controller looked around 10s ago; more than 10s would mean that it hangs'],
    });
  });

  it('fails once the controller has not looked around for ten seconds', () => {
    const { controller, health, clock } = agent();
    health.begin();
    controller.lookedAt = clock.now - 10_001;
    expect(health.liveness().ok).toBe(false);
  });

  it('fails when the controller runs and never looked', () => {
    const { health } = agent();
    health.begin();
    expect(health.liveness().ok).toBe(false);
  });

  it('is well while stopping, which has a limit of its own', () => {
    const { health, stop } = agent();
    health.begin();
    stop.abort();
    expect(health.liveness()).toEqual({ ok: true, lines: ['ok: stopping'] });
  });
});

describe('readiness', () => {
  it('waits for the API server, then for the caches', () => {
    const { controller, health } = agent();
    expect(health.readiness()).toEqual({ ok: false, lines: ['failed: waiting for the API server'] });
    health.begin();
    expect(health.readiness()).toEqual({ ok: false, lines: ['failed: not all caches are filled yet'] });
    controller.ready = true;
    expect(health.readiness()).toEqual({ ok: true, lines: ['ok: every cache is filled'] });
  });

  it.each([401, 403] as const)('fails while the API server answers %i, and says where', (status) => {
    const { controller, health, clock } = agent();
    health.begin();
    controller.ready = true;
    controller.tell('error', { where: 'watch nodes', error: refusal(status), retryInMs: 30_000 });
    const report = health.readiness();
    expect(report.ok).toBe(false);
    expect(report.lines).toEqual([
      'ok: every cache is filled',
      expect.stringMatching(/^failed: watch nodes: (not allowed to|could not) list nodes/),
    ]);
    clock.now += 44_999;
    expect(health.readiness().ok).toBe(false);
    clock.now += 1;
    expect(health.readiness().ok).toBe(true);
  });

  it('does not fail for an API server that is away, and forgets a refusal that another error follows', () => {
    const { controller, health } = agent();
    health.begin();
    controller.ready = true;
    controller.tell('error', { where: 'election', error: refusal(403) });
    controller.tell('error', { where: 'election', error: new TransportError('away', { sent: false }) });
    expect(health.readiness().ok).toBe(true);
  });

  it('fails while stopping', () => {
    const { controller, health, stop } = agent();
    health.begin();
    controller.ready = true;
    stop.abort();
    expect(health.readiness()).toEqual({ ok: false, lines: ['failed: stopping'] });
  });
});
