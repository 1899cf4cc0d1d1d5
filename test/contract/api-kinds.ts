// What is special about single kinds: times in Leases, taints of nodes, where Events live, what of a workload is fixed.
import { describe, expect, test } from 'vitest';
import { expectFailure, expectSuccess, type GetFixture, uniqueName } from './api-fixture.ts';

export function describeKinds(fixture: GetFixture): void {
  describe('a Lease', () => {
    test('keeps times with exactly six fraction digits as they are', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const renewTime = '2026-01-02T03:04:05.678901Z';
      const spec = {
        holderIdentity: 'a',
        leaseDurationSeconds: 15,
        leaseTransitions: 0,
        acquireTime: renewTime,
        renewTime,
      };
      const made = await client.post(space.leases(), { metadata: { name: 'a' }, spec });
      expect(made.body['spec']).toEqual(spec);
      const elsewhere = { metadata: { name: 'b' }, spec: { renewTime: '2026-01-02T04:04:05.678901+01:00' } };
      expect((await client.post(space.leases(), elsewhere)).body['spec']).toEqual({ renewTime });
    });

    test.each([
      ['2026-01-02T03:04:05.678Z', 'cannot parse ".678Z" as ".000000"'],
      ['2026-01-02T03:04:05Z', 'cannot parse "Z" as ".000000"'],
      ['2026-01-02T03:04:05.6789012Z', 'cannot parse "2Z" as "Z07:00"'],
      ['2026-01-02 03:04:05.678901Z', 'cannot parse " 03:04:05.678901Z" as "T"'],
      ['yesterday', 'cannot parse "yesterday" as "2006"'],
    ])('answers 400 to the time %s', async (renewTime, why) => {
      const { client } = fixture();
      const space = await fixture().namespace();
      expectFailure(await client.post(space.leases(), { metadata: { name: 'a' }, spec: { renewTime } }), {
        code: 400,
        reason: 'BadRequest',
        message:
          `Lease in version "v1" cannot be handled as a Lease: parsing time "${renewTime}" as ` +
          `"2006-01-02T15:04:05.000000Z07:00": ${why}`,
      });
    });

    test('answers 422 to such a time in a patch', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      await client.post(space.leases(), { metadata: { name: 'a' } });
      const spec = { renewTime: '2026-01-02T03:04:05.678Z' };
      for (const kind of ['merge-patch', 'strategic-merge-patch']) {
        expectFailure(await client.patch(space.leases('/a'), kind, { spec }), {
          code: 422,
          reason: 'Invalid',
          message: /^ "" is invalid: patch: Invalid value: .*cannot parse "\.678Z" as "\.000000"$/s,
          field: 'patch',
        });
      }
    });

    test('needs numbers where numbers belong, and sensible ones', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const post = (spec: object): ReturnType<typeof client.post> =>
        client.post(space.leases(), { metadata: { name: 'a' }, spec });
      expectFailure(await post({ leaseDurationSeconds: '15' }), {
        code: 400,
        reason: 'BadRequest',
        message:
          'Lease in version "v1" cannot be handled as a Lease: json: cannot unmarshal string into Go struct field ' +
          'LeaseSpec.spec.leaseDurationSeconds of type int32',
      });
      expectFailure(await post({ leaseDurationSeconds: 1.5 }), { code: 400, reason: 'BadRequest' });
      expectFailure(await post({ leaseDurationSeconds: 0 }), {
        code: 422,
        reason: 'Invalid',
        message:
          'Lease.coordination.k8s.io "a" is invalid: spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
      });
      expectFailure(await post({ leaseTransitions: -1 }), {
        code: 422,
        reason: 'Invalid',
        field: 'spec.leaseTransitions',
      });
      expectSuccess(await post({ holderIdentity: '', leaseDurationSeconds: 1 }), 201);
    });
  });

  describe('a Node', () => {
    const withNode = async (act: (path: string) => Promise<void>, more: object = {}): Promise<void> => {
      const { client } = fixture();
      const name = uniqueName('node');
      expectSuccess(await client.post('/api/v1/nodes', { metadata: { name }, ...more }), 201);
      try {
        await act(`/api/v1/nodes/${name}`);
      } finally {
        await client.delete(`/api/v1/nodes/${name}`);
      }
    };

    test('begins with the taint that keeps pods away until it is Ready', async () => {
      const { client } = fixture();
      const name = uniqueName('node');
      const made = await client.post('/api/v1/nodes?dryRun=All', {
        metadata: { name, namespace: 'ignored' },
      });
      expect(made.body['spec']).toEqual({
        taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }],
      });
      expect(made.body['metadata']).not.toHaveProperty('namespace');
      expect(made.body['metadata']).not.toHaveProperty('generation');
      expect(made.body['status']).toMatchObject({
        daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
        nodeInfo: { bootID: '', machineID: '' },
      });
    });

    test('keeps the status that its kubelet registers it with, times in whole seconds', async () => {
      const { client } = fixture();
      const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-02T03:04:05.6Z' }];
      const name = uniqueName('node');
      const made = await client.post('/api/v1/nodes?dryRun=All', {
        metadata: { name },
        status: { conditions },
      });
      expect(made.body['status']?.['conditions']).toEqual([
        {
          type: 'Ready',
          status: 'True',
          lastHeartbeatTime: '2026-01-02T03:04:05Z',
          lastTransitionTime: null,
        },
      ]);
    });

    test.each([
      [
        'two taints with one key and effect',
        [
          { key: 'a', effect: 'NoSchedule' },
          { key: 'a', value: 'b', effect: 'NoSchedule' },
        ],
        'metadata.taints[1]',
        'FieldValueDuplicate',
      ],
      [
        'an effect that does not exist',
        [{ key: 'a', effect: 'Nothing' }],
        'metadata.taints[0].effect',
        'FieldValueNotSupported',
      ],
      ['a taint without an effect', [{ key: 'a' }], 'metadata.taints[0].effect', 'FieldValueRequired'],
      ['a taint without a key', [{ effect: 'NoSchedule' }], 'metadata.taints[0].key', 'FieldValueInvalid'],
    ])('answers 422 to %s', async (_, taints, field, reason) => {
      const { client } = fixture();
      await withNode(async (path) => {
        const answer = await client.patch(path, 'merge-patch', { spec: { taints } });
        expectFailure(answer, { code: 422, reason: 'Invalid', field });
        expect(answer.body['details']?.['causes']).toEqual(
          expect.arrayContaining([expect.objectContaining({ field, reason })]),
        );
      });
    });

    test('keeps its providerID', async () => {
      const { client } = fixture();
      await withNode(async (path) => {
        expectSuccess(await client.patch(path, 'merge-patch', { spec: { providerID: 'a://1' } }));
        expectFailure(await client.patch(path, 'merge-patch', { spec: { providerID: 'a://2' } }), {
          code: 422,
          reason: 'Invalid',
          message:
            /spec\.providerID: Forbidden: node updates may not change providerID except from "" to valid$/,
          field: 'spec.providerID',
        });
      });
    });

    test('changes its spec only at its own path and its status only at /status', async () => {
      const { client } = fixture();
      const change = { spec: { unschedulable: true }, status: { capacity: { cpu: '2' } } };
      await withNode(async (path) => {
        const viaStatus = await client.patch(`${path}/status`, 'merge-patch', change);
        expect([viaStatus.body['spec']?.['unschedulable'], viaStatus.body['status']?.['capacity']]).toEqual([
          undefined,
          { cpu: '2' },
        ]);
        const other = { ...change, status: { capacity: { cpu: '4' } } };
        const viaSpec = await client.patch(path, 'merge-patch', other);
        expect([viaSpec.body['spec']?.['unschedulable'], viaSpec.body['status']?.['capacity']]).toEqual([
          true,
          { cpu: '2' },
        ]);
      });
    });
  });

  describe('an Event', () => {
    const event = (about: object, more: object = {}): object => ({
      metadata: { generateName: 'e-' },
      involvedObject: { kind: 'Pod', name: 'p', ...about },
      reason: 'Tested',
      message: 'm',
      type: 'Normal',
      ...more,
    });

    test('lives in the namespace of what it is about, or in default', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const misplaced = { code: 422, reason: 'Invalid', field: 'involvedObject.namespace' };
      expectSuccess(await client.post(space.core('events'), event({ namespace: space.name })), 201);
      expectFailure(await client.post(space.core('events'), event({ namespace: 'default' })), misplaced);
      const aboutNode = event({ kind: 'Node' });
      expectFailure(await client.post(space.core('events'), aboutNode), misplaced);
      expectFailure(await client.post('/api/v1/namespaces/kube-system/events', aboutNode), misplaced);
      expectSuccess(await client.post('/api/v1/namespaces/default/events', aboutNode), 201);
    });

    test('with an eventTime names who reports and what was done', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const about = { namespace: space.name };
      const eventTime = '2026-01-02T03:04:05.678901Z';
      const bare = await client.post(space.core('events'), event(about, { eventTime }));
      for (const field of ['reportingComponent', 'reportingInstance', 'action']) {
        expectFailure(bare, { code: 422, reason: 'Invalid', field });
      }
      const full = {
        eventTime,
        reportingComponent: 'example.com/test',
        reportingInstance: 'a',
        action: 'Test',
      };
      expectSuccess(await client.post(space.core('events'), event(about, full)), 201);
      const shortTime = event(about, { ...full, eventTime: '2026-01-02T03:04:05.678Z' });
      expectFailure(await client.post(space.core('events'), shortTime), { code: 400, reason: 'BadRequest' });
    });
  });

  test('a VolumeAttachment ties one volume to one node for good', async () => {
    const { client } = fixture();
    const name = uniqueName('attachment');
    const path = `/apis/storage.k8s.io/v1/volumeattachments/${name}`;
    const spec = { attacher: 'example.com', nodeName: 'a', source: { persistentVolumeName: 'b' } };
    const made = await client.post('/apis/storage.k8s.io/v1/volumeattachments', { metadata: { name }, spec });
    expect(made.body['status']).toEqual({ attached: false });
    const moved = await client.patch(path, 'merge-patch', { spec: { nodeName: 'c' } });
    expectFailure(moved, { code: 422, reason: 'Invalid', field: 'spec' });
    const attached = await client.patch(`${path}/status`, 'merge-patch', { status: { attached: true } });
    expect(attached.body['status']).toEqual({ attached: true });
    expectSuccess(await client.delete(path));
  });

  test('a Secret takes plain text and keeps it encoded', async () => {
    const { client } = fixture();
    const space = await fixture().namespace();
    const made = await client.post(space.core('secrets'), {
      metadata: { name: 'a' },
      stringData: { x: 'y' },
    });
    expect(made.body).toMatchObject({ type: 'Opaque', data: { x: 'eQ==' } });
    expect(made.body).not.toHaveProperty('stringData');
  });
}
