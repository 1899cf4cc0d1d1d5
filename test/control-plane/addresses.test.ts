// Clusters side by side must never share a name or an address.
import { describe, expect, it } from 'vitest';
import { MAX_NODES, MAX_SLOTS, planAddresses, planNodes, slotsFrom } from './addresses.ts';
import { ClusterError } from './cluster-error.ts';

describe('address plan', () => {
  it('gives no two nodes of any two clusters the same name, address or cable', () => {
    const everything = Array.from({ length: MAX_SLOTS }, (_, slot) => planNodes(slot, MAX_NODES)).flat();
    for (const key of ['ip', 'mac', 'namespace', 'link'] as const) {
      expect(new Set(everything.map((node) => node[key])).size).toBe(MAX_SLOTS * MAX_NODES);
    }
  });

  it('gives no two clusters the same bridge, addresses or API server', () => {
    const plans = Array.from({ length: MAX_SLOTS }, (_, slot) => planAddresses(slot));
    for (const key of [
      'bridge',
      'bridgeMac',
      'subnet',
      'apiServerIp',
      'apiServerUrl',
      'loopbackIp',
    ] as const) {
      expect(new Set(plans.map((plan) => plan[key])).size).toBe(MAX_SLOTS);
    }
  });

  it('keeps node addresses away from the API server, the network and the broadcast address', () => {
    const taken = planNodes(7, MAX_NODES).map((node) => node.ip);
    for (const ip of ['198.18.7.0', planAddresses(7).apiServerIp, '198.18.7.255']) {
      expect(taken).not.toContain(ip);
    }
    expect(taken.every((ip) => Number(ip.split('.')[3]) < 255)).toBe(true);
  });

  it('keeps link names within the 15 characters that the kernel allows', () => {
    const longest = planNodes(MAX_SLOTS - 1, MAX_NODES).at(-1);
    expect(longest?.link.length).toBeLessThanOrEqual(15);
    expect(planAddresses(MAX_SLOTS - 1).bridge.length).toBeLessThanOrEqual(15);
  });

  it('names the bridge so that its namespaces can be told from those of another slot', () => {
    const [first] = planNodes(1, 1);
    expect(first?.namespace.startsWith(`${planAddresses(1).bridge}-`)).toBe(true);
    expect(planNodes(12, 1)[0]?.namespace.startsWith(`${planAddresses(1).bridge}-`)).toBe(false);
  });

  it.each([-1, 1.5, MAX_NODES + 1, Number.NaN])('refuses %s nodes in one sentence', (count) => {
    expect(() => planNodes(0, count)).toThrow(ClusterError);
    expect(() => planNodes(0, count)).toThrow(`from 0 to ${MAX_NODES}, found ${count}`);
  });

  it.each([-1, 0.5, MAX_SLOTS])('refuses slot %s', (slot) => {
    expect(() => planAddresses(slot)).toThrow(ClusterError);
  });

  it('tries every slot once, wherever it starts', () => {
    for (const seed of [0, 5, MAX_SLOTS - 1, MAX_SLOTS + 3, -9]) {
      const slots = [...slotsFrom(seed)];
      expect(new Set(slots).size).toBe(MAX_SLOTS);
      expect(slots[0]).toBe(Math.abs(seed) % MAX_SLOTS);
    }
  });
});
