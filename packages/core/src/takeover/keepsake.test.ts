// What people put on a Node is told from what the system puts there, and comes back onto a new Node.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Node, Taint } from '../kubernetes/objects.ts';
import { defaultRestoredTaints, keepsakeOf, missingFrom, restorable } from './keepsake.ts';

const nodeWith = (metadata: Partial<Node['metadata']>, spec: Node['spec'] = {}): Node => ({
  metadata: { name: 'node-1', uid: 'n1', resourceVersion: '1', ...metadata },
  spec,
});

describe('a keepsake', () => {
  it.each([
    { key: 'rack', kept: true },
    { key: 'example.com/rack', kept: true },
    { key: 'notkubernetes.io/x', kept: true },
    { key: 'node-role.kubernetes.io/worker', kept: true },
    { key: 'node-restriction.kubernetes.io/pci', kept: true },
    { key: 'kubernetes.io/hostname', kept: false },
    { key: 'topology.kubernetes.io/zone', kept: false },
    { key: 'node.kubernetes.io/unreachable', kept: false },
    { key: 'beta.k8s.io/x', kept: false },
    { key: 'liberator.dev/takeover', kept: false },
    { key: 'projectcalico.org/IPv4Address', kept: false },
    { key: 'node.cilium.io/agent-not-ready', kept: false },
    { key: 'ToBeDeletedByClusterAutoscaler', kept: false },
    { key: 'topology.ebs.csi.aws.com/zone', kept: false },
    { key: 'topology.rook.io/rack', kept: false },
    { key: 'karpenter.sh/nodepool', kept: false },
    { key: 'machineconfiguration.openshift.io/currentConfig', kept: false },
    { key: 'cluster.x-k8s.io/machine', kept: false },
  ])('keeps $key: $kept', ({ key, kept }) => {
    const keepsake = keepsakeOf(
      nodeWith(
        { labels: { [key]: 'x' }, annotations: { [key]: 'x' } },
        { taints: [{ key, effect: 'NoSchedule' }] },
      ),
    );
    expect(Object.keys(keepsake.labels)).toEqual(kept ? [key] : []);
    expect(Object.keys(keepsake.annotations)).toEqual(kept ? [key] : []);
    expect(keepsake.taints.map((taint) => taint.key)).toEqual(kept ? [key] : []);
  });

  it('keeps the cordon of a human', () => {
    expect(keepsakeOf(nodeWith({}, { unschedulable: true })).unschedulable).toBe(true);
    expect(keepsakeOf(nodeWith({})).unschedulable).toBe(false);
  });
});

describe('what of a keepsake may be put back', () => {
  const taint = (key: string): Taint => ({ key, effect: 'NoSchedule' });
  const kept = (keys: readonly string[], allowed = defaultRestoredTaints): readonly string[] =>
    restorable(
      { labels: { rack: '7' }, annotations: {}, taints: keys.map(taint), unschedulable: true },
      allowed,
    ).taints.map(({ key }) => key);

  it('are of its taints those that only people put on', () => {
    expect(
      kept([
        'dedicated',
        'node-role.kubernetes.io/infra',
        'node-restriction.kubernetes.io/pci',
        'example.com/team',
        'ebs.csi.aws.com/agent-not-ready',
        'node.cilium.io/agent-not-ready',
        'nvidia.com/gpu',
        'node.kubernetes.io/unreachable',
        'ToBeDeletedByClusterAutoscaler',
      ]),
    ).toEqual(['dedicated', 'node-role.kubernetes.io/infra', 'node-restriction.kubernetes.io/pci']);
  });

  it('are those of the domains, and those keys, that are allowed, and no controller’s by any word', () => {
    const keys = [
      'dedicated',
      'example.com/team',
      'example.com/rack',
      'other.com/team',
      'node.kubernetes.io/x',
    ];
    expect(kept(keys, ['example.com/*', 'node.kubernetes.io/*'])).toEqual([
      'example.com/team',
      'example.com/rack',
    ]);
    expect(kept(keys, ['other.com/team', 'dedicated'])).toEqual(['dedicated', 'other.com/team']);
    expect(kept(keys, [])).toEqual([]);
  });

  it('is everything else', () => {
    const { labels, unschedulable } = restorable(
      { labels: { rack: '7' }, annotations: {}, taints: [], unschedulable: true },
      [],
    );
    expect({ labels, unschedulable }).toEqual({ labels: { rack: '7' }, unschedulable: true });
  });
});

describe('what a new Node lacks', () => {
  const keepsake = keepsakeOf(
    nodeWith(
      { labels: { rack: '7', tier: 'db' }, annotations: { owner: 'ops' } },
      { taints: [{ key: 'team', value: 'db', effect: 'NoSchedule' }], unschedulable: true },
    ),
  );

  it('is everything, on a Node that has nothing', () => {
    expect(missingFrom(nodeWith({}), keepsake)).toEqual(keepsake);
  });

  it('is nothing once it is put back', () => {
    const { labels, annotations, taints, unschedulable } = keepsake;
    expect(
      missingFrom(nodeWith({ labels, annotations }, { taints, unschedulable }), keepsake),
    ).toBeUndefined();
  });

  it('is not what the new Node says otherwise', () => {
    const node = nodeWith(
      { labels: { rack: '8' } },
      { taints: [{ key: 'team', value: 'web', effect: 'NoSchedule' }] },
    );
    expect(missingFrom(node, keepsake)).toMatchObject({ labels: { tier: 'db' }, taints: [] });
  });

  it('takes no name for a label that every JavaScript object happens to have', () => {
    const named = keepsakeOf(nodeWith({ labels: { constructor: 'acme', toString: 'x' } }));
    expect(missingFrom(nodeWith({ labels: { a: 'b' } }), named)?.labels).toEqual({
      constructor: 'acme',
      toString: 'x',
    });
  });

  it('is nothing after putting back what it lacked, for any two Nodes', () => {
    const maps = fc.dictionary(fc.constantFrom('a', 'b', 'kubernetes.io/c'), fc.constantFrom('1', '2'), {
      noNullPrototype: true,
    });
    const taints = fc.uniqueArray(
      fc.record({
        key: fc.constantFrom('a', 'b'),
        effect: fc.constantFrom('NoSchedule' as const, 'NoExecute' as const),
      }),
      { selector: ({ key, effect }) => key + effect },
    );
    const nodes = fc
      .tuple(maps, maps, taints, fc.boolean())
      .map(([labels, annotations, all, unschedulable]) =>
        nodeWith({ labels, annotations }, { taints: all, unschedulable }),
      );
    fc.assert(
      fc.property(nodes, nodes, (before, anew) => {
        const kept = keepsakeOf(before);
        const missing = missingFrom(anew, kept);
        if (missing === undefined) return;
        const restored = nodeWith(
          {
            labels: { ...anew.metadata.labels, ...missing.labels },
            annotations: { ...anew.metadata.annotations, ...missing.annotations },
          },
          {
            taints: [...(anew.spec?.taints ?? []), ...missing.taints],
            unschedulable: missing.unschedulable || anew.spec?.unschedulable === true,
          },
        );
        expect(missingFrom(restored, kept)).toBeUndefined();
        expect(restored.metadata.labels).toMatchObject(anew.metadata.labels ?? {});
      }),
    );
  });
});
