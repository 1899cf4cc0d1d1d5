// Named fencers of the configuration become drivers that core can ask.
import type { FenceTarget } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { noCluster } from '../testing/no-cluster.ts';
import { buildFencers } from './build-fencers.ts';

const target = (labels: Record<string, string>): FenceTarget => ({
  name: 'node-1',
  uid: 'u',
  deathId: 'd',
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: '' },
    addresses: [],
    labels,
    annotations: {},
  },
  howToConfirm: '',
});

const redfish = { driver: 'redfish', address: 'https://bmc', username: '/u', password: '/p' } as const;

describe('named fencers', () => {
  it('are there beside the two that always are', () => {
    const fencers = buildFencers({ bmc: { ...redfish, timeout: 60_000 } }, noCluster);
    expect(fencers.map(({ name }) => name)).toEqual(['manual', 'none', 'bmc']);
    expect(fencers[2]).toMatchObject({ acts: 'power', proofs: ['powered-off'], timeoutMs: 60_000 });
    expect(fencers[2]?.device).toBeUndefined();
  });

  it('share the device that their configuration names, per machine', () => {
    const device = { key: 'chassis-{label.c}', concurrency: 2, switches: ['slot {label.s}', 'fan'] };
    const bmc = buildFencers({ bmc: { ...redfish, device } }, noCluster)[2];
    expect(bmc?.device?.(target({ c: '7', s: '3' }))).toEqual({
      key: 'chassis-7',
      concurrency: 2,
      switches: ['slot 3', 'fan'],
    });
    // Nobody knows that the devices of these differ.
    expect(bmc?.device?.(target({}))).toEqual({
      key: 'chassis-{label.c}',
      concurrency: 2,
      switches: ['fan'],
    });
  });

  it('may cut nodes off from their storage, for which addresses have to be noted', () => {
    const device = { key: 'ceph', concurrency: 3, switches: [] };
    const config = { driver: 'networkFence', class: 'ceph', timeout: 30_000, device } as const;
    const [, , ceph] = buildFencers({ ceph: config }, noCluster);
    expect(ceph).toMatchObject({
      name: 'ceph',
      acts: 'storage',
      proofs: ['isolated'],
      notes: 'storage-clients',
      timeoutMs: 30_000,
    });
    expect(ceph?.device?.(target({}))).toEqual({ key: 'ceph', concurrency: 3 });
  });
});
