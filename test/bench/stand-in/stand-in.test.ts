// What clients see of the stand-in, with core's own reader, reflector and probe.

import { readFileSync, writeFileSync } from 'node:fs';
import type { KubernetesReader, Lease, Node, Pod, Transport } from '@liberator/core';
import {
  createReader,
  createTransport,
  isUnauthorized,
  leases,
  loadKubeConfig,
  nodes,
  pods,
  systemClock,
  systemRandom,
} from '@liberator/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeKubelet } from '../../../packages/core/src/evidence/witnesses/kubelet-probe.ts';
import { Reflector } from '../../../packages/core/src/kubernetes/reflector.ts';
import { readStandInOptions } from './command-line.ts';
import { StandIn } from './stand-in.ts';
import { Tally } from './tally.ts';

const nodeLeases = { namespace: 'kube-node-lease' };

let standIn: StandIn;
let transport: Transport;
let reader: KubernetesReader;

beforeAll(async () => {
  standIn = await StandIn.start(['--nodes', '30', '--renew-every', '600', '--status-every', '3000']);
  transport = createTransport(loadKubeConfig({ path: standIn.address.kubeconfig }));
  reader = createReader({ transport });
});

afterAll(async () => {
  await transport.close();
  await standIn[Symbol.asyncDispose]();
});

describe('the stand-in', () => {
  it('serves Nodes and Leases that weigh what real ones weigh', async () => {
    const { items } = await reader.list(nodes);
    expect(items).toHaveLength(30);
    const [node] = items;
    expect(JSON.stringify(node).length).toBeGreaterThan(10_000);
    expect(JSON.stringify(node).length).toBeLessThan(12_000);
    const lease = await reader.get(leases, { ...nodeLeases, name: node?.metadata.name ?? '' });
    expect(JSON.stringify(lease).length).toBeGreaterThan(760);
    expect(JSON.stringify(lease).length).toBeLessThan(880);
  });

  it('gives out pages that together are the whole list, each object once', async () => {
    for (const list of [
      await reader.list(nodes, { pageSize: 7 }),
      await reader.list(leases, { ...nodeLeases, pageSize: 7 }),
    ]) {
      const names = list.items.map(({ metadata }) => metadata.name);
      expect(new Set(names).size).toBe(30);
      expect(names).toEqual(names.toSorted());
    }
  });

  it('renews every Lease at its interval, as a reflector sees it', async () => {
    const renewed = new Map<string, string[]>();
    const errors: unknown[] = [];
    const reflector = new Reflector<Lease, Lease>({
      reader,
      clock: systemClock,
      random: systemRandom,
      resource: leases,
      ...nodeLeases,
      project: (lease) => lease,
      handlers: {
        onUpdated: (_, { metadata, spec }) => {
          renewed.set(metadata.name, [...(renewed.get(metadata.name) ?? []), spec?.renewTime ?? '']);
        },
        onError: (error) => errors.push(error),
      },
    });
    reflector.start();
    await expect.poll(() => reflector.hasSynced).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 1_900));
    await reflector.stop();
    expect(errors).toEqual([]);
    expect(renewed.size).toBe(30);
    for (const times of renewed.values()) {
      expect(times.length).toBeGreaterThanOrEqual(2);
      expect(times).toEqual(times.toSorted());
      expect(times[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    }
  });

  it('goes on with a watch where it broke off, and tells only what has changed since', async () => {
    const { resourceVersion } = await reader.list(leases, nodeLeases);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const versions: number[] = [];
    for await (const event of reader.watch(leases, { ...nodeLeases, resourceVersion, timeoutSeconds: 1 })) {
      versions.push(
        Number(event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion),
      );
    }
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(versions[0]).toBe(Number(resourceVersion) + 1);
  });

  it('posts the status of a Node now and then, and a watch tells it', async () => {
    const { resourceVersion } = await reader.list(nodes);
    const seen = new Set<string>();
    for await (const event of reader.watch(nodes, { resourceVersion, timeoutSeconds: 1 })) {
      if (event.type === 'MODIFIED') seen.add((event.object as Node).metadata.name);
    }
    expect(seen.size).toBeGreaterThanOrEqual(5);
  });

  it('refuses whoever brings no token of its own', async () => {
    const text = readFileSync(standIn.address.kubeconfig, 'utf8');
    const path = `${standIn.address.kubeconfig}-stranger`;
    writeFileSync(path, text.replace(/"token": "[^"]+"/, '"token": "none"'));
    const stranger = createTransport(loadKubeConfig({ path }));
    const refusal = await createReader({ transport: stranger })
      .list(nodes)
      .catch((error: unknown) => error);
    expect(isUnauthorized(refusal)).toBe(true);
    await stranger.close();
  });

  it('refuses a write whose version is not the newest', async () => {
    const [node] = (await reader.list(nodes)).items;
    const { name = '', uid = '' } = node?.metadata ?? {};
    const response = await transport.send({
      method: 'PATCH',
      path: `/api/v1/nodes/${name}`,
      contentType: 'application/merge-patch+json',
      body: JSON.stringify({ metadata: { uid, resourceVersion: '1' }, spec: { taints: [] } }),
      signal: new AbortController().signal,
    });
    expect(response.status).toBe(409);
    for await (const _ of response.body) {
      // Read, so that the connection is free.
    }
  });

  it('lets nodes die: their heartbeats end and their hosts are silent, while the others go on', async () => {
    const [name = ''] = await standIn.kill(1);
    const all = await reader.list(nodes);
    const find = (wanted: string): Node => {
      const node = all.items.find(({ metadata }) => metadata.name === wanted);
      if (node === undefined) throw new Error(`expected ${wanted}, found no such node`);
      return node;
    };
    const probe = async (node: Node) =>
      (await probeKubelet(node, { clock: systemClock, timeoutMs: 500 })).result;
    expect(await probe(find(name))).toBe('silent');
    expect(await probe(find('worker-00029'))).toBe('answered');
    const renewTime = async (of: string): Promise<string | undefined> =>
      (await reader.get(leases, { ...nodeLeases, name: of })).spec?.renewTime;
    const before = [await renewTime(name), await renewTime('worker-00029')];
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(await renewTime(name)).toBe(before[0]);
    expect(await renewTime('worker-00029')).not.toBe(before[1]);
  });

  it('makes a database pod that was deleted anew at once, Ready, elsewhere, and says when', async () => {
    const [death] = await standIn.deaths();
    const fieldSelector = `spec.nodeName=${death?.node}`;
    const [pod] = (await reader.list(pods, { fieldSelector })).items;
    const { namespace = '', name = '', uid = '' } = pod?.metadata ?? {};
    const response = await transport.send({
      method: 'DELETE',
      path: `/api/v1/namespaces/${namespace}/pods/${name}`,
      body: JSON.stringify({ gracePeriodSeconds: 0, preconditions: { uid } }),
      signal: new AbortController().signal,
    });
    expect(response.status).toBe(200);
    for await (const _ of response.body) {
      // Read, so that the connection is free.
    }
    let replacement: Pod | undefined;
    await expect
      .poll(async () => {
        replacement = await reader.get(pods, { namespace, name }).catch(() => undefined);
        return replacement?.status?.conditions?.some(
          ({ type, status }) => type === 'Ready' && status === 'True',
        );
      })
      .toBe(true);
    expect(replacement?.metadata.uid).not.toBe(uid);
    expect(replacement?.spec?.nodeName).not.toBe(death?.node);
    expect(Object.values((await standIn.deaths())[0]?.pods ?? {})).toEqual([expect.any(Number)]);
  });

  it('counts what each client asked for, and the bytes that it took', async () => {
    await standIn.reset();
    await reader.list(nodes, { pageSize: 10 });
    const { clients } = await standIn.figures();
    expect(clients['liberator']?.requests).toEqual({ 'list nodes': 3 });
    expect(clients['liberator']?.bytesOut).toBeGreaterThan(29 * 10_000);
  });
});

describe('the figures of a client', () => {
  it('go on counting, after a reset, what a watch brings that was there before', () => {
    const tally = new Tally();
    const watch = tally.of('agent');
    watch.bytesOut += 5;
    tally.reset(0);
    watch.bytesOut += 7;
    expect(tally.figures(0).clients['agent']?.bytesOut).toBe(7);
  });
});

describe('the command line of the stand-in', () => {
  it('has defaults that are those of a small real cluster', () => {
    expect(readStandInOptions([])).toEqual({
      nodes: 100,
      pods: 1,
      renewEveryMs: 10_000,
      statusEveryMs: 300_000,
      port: 0,
      deskPort: 0,
    });
  });

  it.each([
    ['--nodes', '0'],
    ['--nodes', '1e3'],
    ['--pods', '-1'],
    ['--speed', '3'],
  ])('refuses %s %s', (...args) => {
    expect(() => readStandInOptions(args)).toThrow();
  });
});
