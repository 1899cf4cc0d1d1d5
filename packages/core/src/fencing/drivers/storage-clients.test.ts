// What is remembered of a node's addresses is what was said while it lived.
import { describe, expect, it } from 'vitest';
import type { Node } from '../../kubernetes/objects.ts';
import { cephRbd, MemoryCsiAddons } from '../../testing/memory-csi-addons.ts';
import { csiAddonsNodes } from './csi-addons.ts';
import { type HeardNode, StorageClients } from './storage-clients.ts';

class Scene {
  readonly csi = new MemoryCsiAddons();
  readonly heard = new Map<string, HeardNode>();
  readonly clients = new StorageClients({
    reader: this.csi.reader,
    clock: this.csi.clock,
    random: { next: () => 0 },
    nodeNamed: (name) => this.heard.get(name),
    nodes: () => this.heard.values(),
    onError: () => undefined,
  });

  node(name: string, isHeard = true, change: Partial<Node['metadata']> = {}): Node {
    const node: Node = { metadata: { name, uid: `uid-${name}`, resourceVersion: '1', ...change } };
    this.heard.set(name, { node, isHeard });
    return node;
  }

  async settle(): Promise<void> {
    this.clients.start();
    await this.csi.clock.advance(2_000);
  }

  of(node: Node): readonly string[] {
    return this.clients.of(node).flatMap(({ cidrs }) => cidrs);
  }
}

describe('what storage says of a node', () => {
  it('counts while the node is heard, as it is said last', async () => {
    const scene = new Scene();
    const node = scene.node('node-1');
    scene.csi.putSidecar('node-1', ['10.0.0.1/32']);
    await scene.settle();
    expect(scene.of(node)).toEqual(['10.0.0.1/32']);
    scene.csi.putSidecar('node-1', ['10.0.0.7/32']);
    await scene.settle();
    expect(scene.of(node)).toEqual(['10.0.0.7/32']);
    await scene.clients.stop();
  });

  it('stays as it was once the node is silent, whatever is said then, and when its side-car is deleted', async () => {
    const scene = new Scene();
    const node = scene.node('node-1');
    const sidecar = scene.csi.putSidecar('node-1', ['10.0.0.1/32']);
    await scene.settle();
    scene.node('node-1', false);
    scene.csi.putSidecar('node-1', ['10.0.0.9/32']);
    await scene.settle();
    expect(scene.of(node)).toEqual(['10.0.0.1/32']);
    scene.csi.reader.remove(csiAddonsNodes, sidecar);
    await scene.settle();
    expect(scene.of(node)).toEqual(['10.0.0.1/32']);
    await scene.clients.stop();
  });

  it('is believed of a silent node of which nothing was known: csi-addons wrote it when it last got through', async () => {
    const scene = new Scene();
    const node = scene.node('node-1', false);
    scene.csi.putSidecar('node-1', ['10.0.0.1/32']);
    await scene.settle();
    expect(scene.of(node)).toEqual(['10.0.0.1/32']);
    await scene.clients.stop();
  });

  it("is kept when the node itself is deleted, and is nobody else's of that name", async () => {
    const scene = new Scene();
    const node = scene.node('node-1');
    const sidecar = scene.csi.putSidecar('node-1', ['10.0.0.1/32']);
    await scene.settle();
    scene.heard.delete('node-1');
    scene.csi.reader.remove(csiAddonsNodes, sidecar);
    await scene.settle();
    expect(scene.of(node)).toEqual(['10.0.0.1/32']);
    expect(scene.of(scene.node('node-1', true, { uid: 'uid-anew' }))).toEqual([]);
    await scene.clients.stop();
  });

  it('is forgotten after an hour when its node is gone for good', async () => {
    const scene = new Scene();
    const node = scene.node('node-1');
    const sidecar = scene.csi.putSidecar('node-1', ['10.0.0.1/32']);
    await scene.settle();
    scene.heard.delete('node-1');
    scene.csi.reader.remove(csiAddonsNodes, sidecar);
    await scene.settle();
    await scene.csi.clock.advance(3_700_000);
    scene.node('node-2');
    scene.csi.putSidecar('node-2', ['10.0.0.2/32']);
    await scene.settle();
    expect(scene.of(node)).toEqual([]);
    await scene.clients.stop();
  });

  it('under another name, after the node came back, replaces what was kept from before', async () => {
    const scene = new Scene();
    const node = scene.node('node-1');
    const before = scene.csi.putSidecar('node-1', ['10.0.0.1/32'], 'pod-a');
    await scene.settle();
    scene.node('node-1', false);
    scene.csi.reader.remove(csiAddonsNodes, before);
    await scene.settle();
    scene.node('node-1', true);
    scene.csi.putSidecar('node-1', ['10.0.0.8/32'], 'pod-b');
    await scene.settle();
    expect(scene.of(node)).toEqual(['10.0.0.8/32']);
    await scene.clients.stop();
  });

  it('finds its node by the id that its kubelet wrote down, where a driver has ids of its own', async () => {
    const scene = new Scene();
    const annotations = { 'csi.volume.kubernetes.io/nodeid': JSON.stringify({ [cephRbd]: 'i-0815' }) };
    const node = scene.node('node-1', true, { annotations });
    scene.csi.putSidecar('i-0815', ['10.0.0.1/32']);
    scene.csi.putSidecar('node-1', ['10.0.0.66/32']);
    await scene.settle();
    expect(scene.of(node)).toEqual(['10.0.0.1/32']);
    await scene.clients.stop();
  });

  it.each(['not JSON', '[]', '"text"', 'null', '{"rbd.csi.ceph.com": 7}'])(
    'is found by the name of the node when its kubelet wrote %s',
    async (text) => {
      const scene = new Scene();
      const node = scene.node('node-1', true, { annotations: { 'csi.volume.kubernetes.io/nodeid': text } });
      scene.csi.putSidecar('node-1', ['10.0.0.1/32']);
      await scene.settle();
      expect(scene.of(node)).toEqual(['10.0.0.1/32']);
      await scene.clients.stop();
    },
  );
});
