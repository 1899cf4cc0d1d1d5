import { Controller, type ControllerOptions, manualFencer } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { controllerSettings } from './controller-settings.ts';
import { parseConfig } from './read-config.ts';

function settingsOf(text: string): ReturnType<typeof controllerSettings> {
  const surroundings = { namespace: 'apps', identity: 'agent-1' };
  return controllerSettings(parseConfig(text, 'liberator.yaml', surroundings).config);
}

describe('the settings of a controller', () => {
  it('are those of the configuration, every duration in milliseconds', () => {
    const settings = settingsOf(`
election: { name: mine, leaseDuration: 30s, renewDeadline: 20s, retryPeriod: 5s }
probe: { interval: 500ms }
heartbeatInterval: 5s
policies:
  - name: first
    nodes:
      matchLabels: { role: database }
      matchExpressions:
        - { key: stage, operator: In, values: [production] }
        - { key: spot, operator: DoesNotExist }
    detection: { suspectAfter: 12s, deadAfter: 13s, deadUnprobedAfter: 50s, silentProbes: 5 }
    controlPlane: true
    evidence: proven
    budget: { maxDead: 1, maxDeadPercent: 10, window: 5m, maxRunning: 3 }
    fencing: { drivers: [manual, none], proof: optional }
    node: keep
  - name: second
    nodes: { all: true }
    detection: { mode: poll, interval: 1s, threshold: 7 }
`);
    expect(settings).toMatchObject({
      identity: 'agent-1',
      election: {
        namespace: 'apps',
        name: 'mine',
        leaseDurationMs: 30_000,
        renewDeadlineMs: 20_000,
        retryPeriodMs: 5_000,
      },
      probeIntervalMs: 500,
      sight: { heartbeatIntervalMs: 5_000 },
    });
    expect(settings.policies).toEqual([
      {
        name: 'first',
        nodes: {
          matchLabels: { role: 'database' },
          matchExpressions: [
            { key: 'stage', operator: 'In', values: ['production'] },
            { key: 'spot', operator: 'DoesNotExist' },
          ],
        },
        detection: {
          mode: 'heartbeat',
          suspectAfterMs: 12_000,
          deadAfterMs: 13_000,
          deadUnprobedAfterMs: 50_000,
          silentProbes: 5,
        },
        controlPlane: true,
        evidence: 'proven',
        budget: { maxDead: 1, maxDeadPercent: 10, windowMs: 300_000, maxRunning: 3 },
        fencing: { drivers: ['manual', 'none'], proof: 'optional' },
        node: 'keep',
      },
      {
        name: 'second',
        nodes: { all: true },
        detection: { mode: 'poll', intervalMs: 1_000, threshold: 7 },
        controlPlane: false,
        evidence: 'unreachable',
        budget: { maxDead: 2, maxDeadPercent: 34, windowMs: 900_000, maxRunning: 16 },
        fencing: { ladder: [{ fencer: 'manual' }], proof: 'required' },
        node: 'delete',
      },
    ]);
  });

  it('have the ladder of a policy, with what is said of its time and its proofs', () => {
    const { policies } = settingsOf(`
fencers: { bmc: { driver: redfish, address: "https://{name}.lan", username: /u, password: /p } }
policies:
  - name: all
    nodes: { all: true }
    fencing:
      ladder: [{ fencer: bmc, for: 90s }, { fencer: manual }]
      proof: optional
      accept: [powered-off, confirmed-by-human]
      giveUpAfter: 10m
      afterwards: power-on
`);
    expect(policies[0]?.fencing).toEqual({
      ladder: [{ fencer: 'bmc', forMs: 90_000 }, { fencer: 'manual' }],
      proof: 'optional',
      accept: ['powered-off', 'confirmed-by-human'],
      giveUpAfterMs: 600_000,
      afterwards: 'power-on',
    });
  });

  it('are accepted by the controller whenever the configuration is', () => {
    const settings = settingsOf(`
heartbeatInterval: 1s
policies:
  - { name: all, nodes: { all: true }, detection: { suspectAfter: 1s, deadAfter: 2300ms } }
`);
    const connection = { reader: {}, cluster: {}, leaseStore: {} } as Pick<
      ControllerOptions,
      'reader' | 'cluster' | 'leaseStore'
    >;
    expect(() => new Controller({ ...settings, ...connection, fencers: [manualFencer] })).not.toThrow();
  });
});
