// A Node and a Lease are cut down to what is used, and to nothing less.
import { describe, expect, it } from 'vitest';
import type { Lease, Node } from '../../kubernetes/objects.ts';
import { readyStatusOf } from '../node-status.ts';
import { projectLease, projectNode } from './node-projection.ts';

const meta = { name: 'node-1', uid: 'u', resourceVersion: '7' };

describe('a projected Node', () => {
  const full = {
    metadata: {
      ...meta,
      labels: { a: 'b' },
      annotations: { c: 'd' },
      managedFields: [{ manager: 'kubelet' }],
    },
    spec: { taints: [{ key: 't', effect: 'NoSchedule' }], podCIDR: '10.0.0.0/24' },
    status: {
      conditions: [
        { type: 'MemoryPressure', status: 'False' },
        {
          type: 'Ready',
          status: 'Unknown',
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
          lastHeartbeatTime: 'then',
          lastTransitionTime: 'later',
        },
      ],
      addresses: [
        { type: 'Hostname', address: 'node-1' },
        { type: 'InternalIP', address: '10.0.0.1' },
        { type: 'InternalIP', address: 'fd00::1' },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      nodeInfo: { bootID: 'boot', machineID: 'm' },
      images: [{ names: ['a'], sizeBytes: 1 }],
    },
  } as unknown as Node;

  it('keeps what health, policy, probes and records need', () => {
    expect(projectNode(full)).toEqual({
      metadata: { ...meta, labels: { a: 'b' }, annotations: { c: 'd' } },
      spec: { taints: [{ key: 't', effect: 'NoSchedule' }] },
      status: {
        conditions: [
          {
            type: 'Ready',
            status: 'Unknown',
            reason: 'NodeStatusUnknown',
            lastHeartbeatTime: 'then',
            lastTransitionTime: 'later',
          },
        ],
        addresses: [
          { type: 'InternalIP', address: '10.0.0.1' },
          { type: 'InternalIP', address: 'fd00::1' },
        ],
        daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
        nodeInfo: { bootID: 'boot', machineID: 'm' },
      },
    });
  });

  it('of a projected Node is the same', () => {
    expect(projectNode(projectNode(full))).toEqual(projectNode(full));
  });

  it('makes do with a Node that has nothing but a name', () => {
    expect(projectNode({ metadata: meta })).toEqual({
      metadata: meta,
      spec: {},
      status: { nodeInfo: { bootID: '' } },
    });
    expect(readyStatusOf(projectNode({ metadata: meta }))).toBe('absent');
  });
});

describe('a projected Lease', () => {
  it('keeps who holds it, since when and in which epoch, and the annotation that pauses', () => {
    const lease: Lease = {
      metadata: {
        ...meta,
        namespace: 'liberator',
        annotations: { 'liberator.dev/paused': 'x' },
        labels: { a: 'b' },
      },
      spec: {
        holderIdentity: 'a',
        renewTime: 'r',
        leaseTransitions: 3,
        leaseDurationSeconds: 15,
        acquireTime: 'q',
      },
    };
    expect(projectLease(lease)).toEqual({
      metadata: { ...meta, namespace: 'liberator', annotations: { 'liberator.dev/paused': 'x' } },
      spec: { holderIdentity: 'a', renewTime: 'r', leaseTransitions: 3 },
    });
  });

  it('makes do with an empty one', () => {
    expect(projectLease({ metadata: meta })).toEqual({ metadata: meta, spec: {} });
  });
});

describe('the Ready status', () => {
  it.each(['True', 'False', 'Unknown'] as const)('is %s where the condition says so', (status) => {
    expect(readyStatusOf({ metadata: meta, status: { conditions: [{ type: 'Ready', status }] } })).toBe(
      status,
    );
  });

  it('is absent without that condition', () => {
    expect(
      readyStatusOf({ metadata: meta, status: { conditions: [{ type: 'DiskPressure', status: 'True' }] } }),
    ).toBe('absent');
    expect(readyStatusOf({ metadata: meta })).toBe('absent');
  });
});
