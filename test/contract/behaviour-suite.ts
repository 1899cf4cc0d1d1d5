// What Kubernetes does when nodes die and come back, as tests that hold on the simulator and on a real control plane.
import type { Lease } from '@liberator/core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type BehaviourTarget,
  longestRenewalMs,
  monitorMs,
  namespace,
  nodeOf,
  outOfService,
  Story,
  slackMs,
  unreachable,
} from './behaviour-story.ts';

/** How often Kubernetes' pod garbage collector looks: its `gcCheckPeriod`. */
const podGcMs = 20_000;
/** How long it goes on to believe in a Node after the look that missed it: its `quarantineTime`. */
const quarantineMs = 40_000;
/**
 * The longest from the deletion of a Node until its pods are freed. A look may have come just before the deletion; and the
 * quarantine, which is a whole number of periods, ends in the same instant in which a look begins: it may just miss it.
 */
const orphansFreedMs = podGcMs + quarantineMs + podGcMs;
const forceDetachMs = 360_000;
/** From a free identity to a Ready pod: scheduling, volumes, start. */
const replacementMs = 10_000;

/** Declares the tests; `start` is called once, before the first of them. */
export function describeBehaviour(name: string, start: () => Promise<BehaviourTarget>): void {
  describe(`the death of a node, ${name}`, () => {
    let story: Story;

    beforeAll(async () => {
      story = new Story(await start());
      await story.allWell();
    });
    afterEach(async () => {
      await story?.cleanUp();
    }, 300_000);
    afterAll(async () => {
      await story?.close();
    });

    const tell = (sentence: string, act: () => Promise<void>): void =>
      test(sentence, { timeout: 600_000 }, act);

    tell('every node names its machine: address, kubelet port, zone, boot', async () => {
      for (const nodeName of story.nodes) {
        const node = await story.node(nodeName);
        expect(node.metadata.labels?.['kubernetes.io/hostname']).toBe(nodeName);
        expect(node.metadata.labels?.['topology.kubernetes.io/zone']).toMatch(/./);
        expect(node.status?.addresses).toContainEqual({
          type: 'InternalIP',
          address: expect.any(String),
        });
        expect(node.status?.daemonEndpoints?.kubeletEndpoint?.Port).toBe(10_250);
        expect(node.status?.nodeInfo?.bootID).toMatch(/^[0-9a-f-]{36}$/);
      }
    });

    tell('every kubelet renews a Lease of forty seconds about every ten', async () => {
      const lease = (): Promise<Lease> =>
        story.read(`/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${story.nodes[0]}`);
      const first = await lease();
      expect(first.spec).toMatchObject({ holderIdentity: story.nodes[0], leaseDurationSeconds: 40 });
      expect(first.spec?.renewTime).toMatch(/\.\d{6}Z$/);
      expect(first.metadata.ownerReferences).toMatchObject([{ kind: 'Node', name: story.nodes[0] }]);
      const seen: number[] = [];
      let last = first.spec?.renewTime;
      while (seen.length < 3) {
        await story.eventually('the next renewal', longestRenewalMs + slackMs, async () => {
          const renewTime = (await lease()).spec?.renewTime;
          if (renewTime === last) return undefined;
          last = renewTime;
          return true;
        });
        seen.push(story.now());
      }
      const gaps = seen.slice(1).map((at, index) => at - (seen[index] ?? 0));
      for (const gap of gaps) {
        expect(gap).toBeGreaterThan(9_000);
        expect(gap).toBeLessThan(longestRenewalMs + 1_000);
      }
    });

    tell('a pod is given tolerations for a node in trouble', async () => {
      await story.createSet('tolerant', { replicas: 1 });
      const pod = await story.readyPod('tolerant-0');
      const seconds = story.timings.tolerationMs / 1_000;
      for (const key of ['node.kubernetes.io/not-ready', unreachable]) {
        const toleration = { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds };
        expect(pod).toMatchObject({ spec: { tolerations: expect.arrayContaining([toleration]) } });
      }
    });

    tell(
      'a crashed node turns Unknown, and its StatefulSet pod stays Terminating until it is out of service',
      async () => {
        await story.createSet('stuck', { replicas: 2, volumes: 'local' });
        const before = await story.readyPod('stuck-1');
        const nodeName = nodeOf(before);
        const claim = await story.claim('data-stuck-1');
        const crashedAt = story.now();
        await story.break(nodeName, 'crash');

        await story.untilUnknown(nodeName, crashedAt);
        const unknownAt = story.now();
        await story.eventually('both taints', monitorMs + slackMs, async () => {
          const taints = await story.taints(nodeName);
          const effects = taints.filter(({ key }) => key === unreachable).map(({ effect }) => effect);
          return effects.includes('NoSchedule') && effects.includes('NoExecute') ? true : undefined;
        });
        const taintedAt = story.now();
        await story.eventually('the pod to count as not Ready', monitorMs + slackMs, async () =>
          story.isReady(await story.pod('stuck-1')) ? undefined : true,
        );

        await story.eventually('the pod to be Terminating', story.timings.tolerationMs + slackMs, async () =>
          (await story.pod('stuck-1'))?.metadata.deletionTimestamp === undefined ? undefined : true,
        );
        expect(story.now() - unknownAt).toBeGreaterThan(story.timings.tolerationMs - slackMs);
        expect(story.now() - taintedAt).toBeLessThan(story.timings.tolerationMs + slackMs);

        // Nobody helps, so nothing happens: not within a pod GC's period, nor ever.
        await story.pass(podGcMs + monitorMs);
        const stuck = await story.pod('stuck-1');
        expect(stuck?.metadata.uid).toBe(before.metadata.uid);
        expect(stuck?.metadata.deletionTimestamp).toMatch(/Z$/);
        const set = await story.read<{ status: object }>(
          `/apis/apps/v1/namespaces/${namespace}/statefulsets/stuck`,
        );
        expect(set.status).toMatchObject({ replicas: 2, readyReplicas: 1 });

        const taintAt = story.now();
        await story.addTaint(nodeName, outOfService);
        const after = await story.replacementOf(before, podGcMs + replacementMs);
        expect(story.now() - taintAt).toBeLessThan(podGcMs + replacementMs);
        expect(after.spec?.nodeName).not.toBe(nodeName);
        expect((await story.claim('data-stuck-1')).metadata.uid).toBe(claim.metadata.uid);
        expect((await story.claim('data-stuck-1')).spec?.volumeName).toBe(claim.spec?.volumeName);

        // Back again, it is well in the eyes of Kubernetes; the taint of others stays until they take it away.
        await story.repair(nodeName);
        await story.untilWell(nodeName);
        expect(await story.taints(nodeName)).toMatchObject([outOfService]);
        expect(after.metadata.uid).toBe((await story.readyPod('stuck-1')).metadata.uid);
      },
    );

    tell('a forced delete frees the identity, but only of the pod that it names', async () => {
      await story.createSet('forced', { replicas: 2 });
      const before = await story.readyPod('forced-1');
      const nodeName = nodeOf(before);
      const crashedAt = story.now();
      await story.break(nodeName, 'crash');
      await story.untilUnknown(nodeName, crashedAt);

      const path = `/api/v1/namespaces/${namespace}/pods/forced-1`;
      const wrong = '00000000-0000-4000-8000-000000000000';
      const refused = await story.call('DELETE', path, {
        gracePeriodSeconds: 0,
        preconditions: { uid: wrong },
      });
      expect(refused.status).toBe(409);
      expect(refused.body).toMatchObject({ kind: 'Status', reason: 'Conflict' });
      expect((await story.pod('forced-1'))?.metadata.uid).toBe(before.metadata.uid);

      await story.forceDelete(before);
      const after = await story.replacementOf(before, replacementMs);
      expect(after.spec?.nodeName).not.toBe(nodeName);
    });

    tell('deleting the Node frees its pods after a quarantine, and its Lease at once', async () => {
      await story.createSet('orphan', { replicas: 2 });
      const before = await story.readyPod('orphan-1');
      const nodeName = nodeOf(before);
      const { uid } = (await story.node(nodeName)).metadata ?? {};
      const crashedAt = story.now();
      await story.break(nodeName, 'crash');
      await story.untilUnknown(nodeName, crashedAt);

      const deletedAt = story.now();
      expect((await story.call('DELETE', `/api/v1/nodes/${nodeName}`)).status).toBe(200);
      const leasePath = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${nodeName}`;
      await story.eventually('its Lease to be gone', 15_000, async () =>
        (await story.call('GET', leasePath)).status === 404 ? true : undefined,
      );
      const after = await story.replacementOf(before, orphansFreedMs + replacementMs);
      expect(story.now() - deletedAt).toBeGreaterThan(quarantineMs);
      expect(after.spec?.nodeName).not.toBe(nodeName);

      await story.repair(nodeName);
      await story.untilWell(nodeName);
      expect((await story.node(nodeName)).metadata.uid).not.toBe(uid);
    });

    tell('a node deleted while it was cut off stays away until its kubelet starts anew', async () => {
      const [nodeName = ''] = story.nodes;
      const cutAt = story.now();
      await story.break(nodeName, 'cut');
      await story.untilUnknown(nodeName, cutAt);
      expect((await story.call('DELETE', `/api/v1/nodes/${nodeName}`)).status).toBe(200);
      await story.repair(nodeName);
      await story.pass(30_000);
      expect((await story.call('GET', `/api/v1/nodes/${nodeName}`)).status).toBe(404);

      await story.break(nodeName, 'stopKubelet');
      await story.repair(nodeName);
      await story.untilWell(nodeName);
    });

    tell(
      'the volume of a dead node stays there when its pod is forced away, until the node is out of service',
      async () => {
        await story.createSet('attached', { replicas: 1, volumes: 'attached' });
        const before = await story.readyPod('attached-0');
        const nodeName = nodeOf(before);
        expect(await story.attachedTo('attached-0')).toEqual([nodeName]);
        expect(await story.node(nodeName)).toMatchObject({
          status: { volumesInUse: [story.volumeInUse('attached-0')] },
        });
        const crashedAt = story.now();
        await story.break(nodeName, 'crash');
        await story.untilUnknown(nodeName, crashedAt);
        await story.forceDelete(before);
        const after = await story.eventually('the replacement to have a node', replacementMs, async () => {
          const pod = await story.pod('attached-0');
          return pod?.metadata.uid !== before.metadata.uid && pod?.spec?.nodeName !== undefined
            ? pod
            : undefined;
        });
        expect(nodeOf(after)).not.toBe(nodeName);
        await story.pass(20_000);
        expect(await story.attachedTo('attached-0')).toEqual([nodeName]);
        expect(story.isReady(await story.pod('attached-0'))).toBe(false);
        const path = `/api/v1/namespaces/${namespace}/events?fieldSelector=reason%3DFailedAttachVolume`;
        const events = await story.read<{ items: readonly { message: string }[] }>(path);
        expect(events.items.map(({ message }) => message).join()).toContain(
          'Multi-Attach error for volume "attached-0"',
        );

        await story.addTaint(nodeName, outOfService);
        await story.replacementOf(before, replacementMs);
        expect(await story.attachedTo('attached-0')).toEqual([nodeOf(after)]);
      },
    );

    tell('the volume of a deleted Node is let go six minutes after its pod', async () => {
      await story.createSet('forgotten', { replicas: 1, volumes: 'attached' });
      const before = await story.readyPod('forgotten-0');
      const nodeName = nodeOf(before);
      const crashedAt = story.now();
      await story.break(nodeName, 'crash');
      await story.untilUnknown(nodeName, crashedAt);
      expect((await story.call('DELETE', `/api/v1/nodes/${nodeName}`)).status).toBe(200);
      await story.eventually('the pod to be replaced', orphansFreedMs + slackMs, async () => {
        const pod = await story.pod('forgotten-0');
        return pod !== undefined && pod.metadata.uid !== before.metadata.uid ? true : undefined;
      });
      const freedAt = story.now();
      await story.replacementOf(before, forceDetachMs + replacementMs);
      expect(story.now() - freedAt).toBeGreaterThan(forceDetachMs - slackMs);
    });

    tell('a node that hangs and comes back in time keeps its pods, and loses its taints', async () => {
      await story.createSet('patient', { replicas: 2 });
      const before = await story.readyPod('patient-1');
      const nodeName = nodeOf(before);
      const pausedAt = story.now();
      await story.break(nodeName, 'pause');
      await story.untilUnknown(nodeName, pausedAt);
      await story.repair(nodeName);
      await story.untilWell(nodeName);
      expect(await story.taints(nodeName)).toEqual([]);
      const after = await story.readyPod('patient-1');
      expect(after.metadata.uid).toBe(before.metadata.uid);
      expect(after.metadata.deletionTimestamp).toBeUndefined();
    });

    tell('a node whose kubelet alone ends turns Unknown like a dead one', async () => {
      const [, nodeName = ''] = story.nodes;
      const stoppedAt = story.now();
      await story.break(nodeName, 'stopKubelet');
      await story.untilUnknown(nodeName, stoppedAt);
      await story.repair(nodeName);
      await story.untilWell(nodeName);
    });
  });
}
