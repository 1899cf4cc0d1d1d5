// What is printed fits a terminal of 80 columns and lines up.
import { describe, expect, it } from 'vitest';
import type { ClusterStatus } from './cluster.ts';
import { formatProgress, formatStatus } from './output.ts';

describe('a line of progress', () => {
  it('says when, what and how far', () => {
    expect(formatProgress({ part: 'etcd', detail: 'ready', elapsedMs: 412 })).toBe(
      '   0.4 s  etcd                      ready',
    );
    expect(formatProgress({ part: 'kube-apiserver', detail: 'ready', elapsedMs: 612_000 })).toBe(
      ' 612.0 s  kube-apiserver            ready',
    );
  });

  it('never wraps', () => {
    const line = formatProgress({ part: 'kube-controller-manager', detail: 'x'.repeat(200), elapsedMs: 1 });
    expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('a status', () => {
  const status: ClusterStatus = {
    name: 'default',
    dir: '/clusters/default',
    url: 'https://198.18.9.1:6443',
    version: 'v1.2.3',
    components: [
      { name: 'etcd', pid: 4_194_304, state: 'running' },
      { name: 'kube-apiserver', pid: undefined, state: 'gone' },
    ],
    nodes: [
      {
        name: 'node-1',
        ip: '198.18.255.11',
        zone: 'zone-a',
        pid: 4_194_304,
        condition: 'cut and paused',
        ready: 'Unknown',
      },
      {
        name: 'node-100',
        ip: '198.18.255.110',
        zone: 'zone-b',
        pid: undefined,
        condition: 'crashed',
        ready: undefined,
      },
    ],
  };

  it('shows what runs, what does not, and what Kubernetes believes', () => {
    expect(formatStatus(status).split('\n')).toEqual([
      'default: Kubernetes v1.2.3 at https://198.18.9.1:6443',
      'in /clusters/default',
      '',
      'COMPONENT       PID      STATE',
      'etcd            4194304  running',
      'kube-apiserver  -        gone',
      '',
      'NODE      ADDRESS         ZONE    PID      MACHINE         READY',
      'node-1    198.18.255.11   zone-a  4194304  cut and paused  Unknown',
      'node-100  198.18.255.110  zone-b  -        crashed         -',
    ]);
  });
});
