// What a cluster would run: the flags that other tests rely on, and no address that anybody else could reach.
import { describe, expect, it } from 'vitest';
import { planAddresses, planNodes } from './addresses.ts';
import { COMPONENTS, componentArguments, kubeletArguments } from './components.ts';
import type { ClusterTimings } from './timings.ts';

const addresses = planAddresses(9);
const shape = (timings: ClusterTimings = {}) => ({ addresses, timings, dir: '/clusters/nine' });

describe('the control plane', () => {
  it('listens on the bridge and on a loopback address of its own, nowhere else', () => {
    const ours = [addresses.apiServerIp, addresses.loopbackIp];
    for (const name of COMPONENTS) {
      const listening = componentArguments(name, shape()).filter((flag) =>
        /^--(bind|listen|advertise|initial)/.test(flag),
      );
      expect(listening.length).toBeGreaterThan(0);
      expect(listening.every((flag) => ours.some((ip) => flag.includes(ip)))).toBe(true);
    }
  });

  it('writes below its directory only', () => {
    for (const name of COMPONENTS) {
      const paths = componentArguments(name, shape()).flatMap((flag) => /=(\/.*)$/.exec(flag)?.[1] ?? []);
      expect(paths.every((path) => path.startsWith('/clusters/nine/'))).toBe(true);
    }
  });

  it('authorizes nodes and everybody else as a production cluster does, and audits', () => {
    const flags = componentArguments('kube-apiserver', shape());
    expect(flags).toContain('--authorization-mode=Node,RBAC');
    expect(flags).toContain('--enable-admission-plugins=NodeRestriction');
    expect(flags).toContain('--audit-log-path=/clusters/nine/audit.log');
  });

  it('keeps stock timings unless told otherwise', () => {
    const stock = COMPONENTS.flatMap((name) => componentArguments(name, shape()));
    expect(stock.filter((flag) => /grace|monitor|toleration/.test(flag))).toEqual([]);
    const timings = { nodeMonitorGracePeriodMs: 20_000, unreachableTolerationMs: 15_000 };
    const told = COMPONENTS.flatMap((name) => componentArguments(name, shape(timings)));
    expect(told.filter((flag) => !stock.includes(flag))).toEqual([
      '--default-unreachable-toleration-seconds=15',
      '--node-monitor-grace-period=20000ms',
    ]);
  });
});

describe('a hollow kubelet', () => {
  it('is told who it is: its name, address, zone and boot', () => {
    const [address] = planNodes(9, 1);
    if (address === undefined) {
      throw new Error('expected a node');
    }
    const flags = kubeletArguments(shape({ nodeLeaseDurationMs: 8_000 }), {
      address,
      zone: 'zone-b',
      bootId: 'boot-1',
      machineId: 'machine-1',
      rootDirectory: '/tmp/x/node-1',
    });
    for (const flag of [
      '--name=node-1',
      `--node-ip=${address.ip}`,
      '--port=10250',
      '--boot-id=boot-1',
      '--machine-id=machine-1',
      '--node-labels=topology.kubernetes.io/zone=zone-b',
      '--node-lease-duration-seconds=8',
    ]) {
      expect(flags).toContain(flag);
    }
  });
});
