// `liberator guard` in a process of its own, with a watchdog made of a pipe: what it feeds, when it stops, and how it lets go.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Lease } from '@liberator/core';
import { resources, Simulator } from '@liberator/simulator';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AgentProcess, runCommand } from '../processes/agent-process.ts';
import { FakeWatchdog, type FakeWatchdogOptions } from './fake-watchdog.ts';
import { openMutableFront } from './mutable-front.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

const namespace = 'liberator-guards';
const state = 'guard.liberator.dev/state';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'liberator-guard-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function fileOf(text: string): string {
  files += 1;
  const path = join(folder, `${files}.kubeconfig`);
  writeFileSync(path, text);
  return path;
}

async function cluster(): Promise<Simulator> {
  const simulator = await Simulator.start({ http: true, nodes: 0 });
  simulator.store.create(resources.namespaces, { metadata: { name: namespace } }, { user: 'test' });
  return simulator;
}

function start(dog: FakeWatchdog, kubeconfig: string, node = 'node-1'): AgentProcess {
  const where = [
    '--node',
    node,
    '--namespace',
    namespace,
    '--kubeconfig',
    kubeconfig,
    '--http',
    '127.0.0.1:0',
  ];
  return runCommand(['guard', ...where, '--grant', '3s', ...dog.args]);
}

function leaseIn(simulator: Simulator, node = 'node-1'): Lease | undefined {
  return simulator.store.find(resources.leases, namespace, `liberator-guard-${node}`) as unknown as
    | Lease
    | undefined;
}

const stateIn = (simulator: Simulator, node?: string): string | undefined =>
  leaseIn(simulator, node)?.metadata.annotations?.[state];

const isChange =
  (change: string) => (entry: { readonly event?: string; readonly [field: string]: unknown }) =>
    entry.event === 'guard' && entry['change'] === change;

// Mostly they wait, so they wait together.
describe.concurrent('liberator guard', () => {
  it('arms once the API server has answered, feeds, and disarms once the API server knows of it', async () => {
    await using simulator = await cluster();
    using dog = new FakeWatchdog();
    await using guard = start(dog, fileOf(simulator.kubeconfig()));
    await guard.waitFor(isChange('armed'));
    expect(leaseIn(simulator)).toMatchObject({
      metadata: {
        annotations: {
          'guard.liberator.dev/node': 'node-1',
          [state]: 'armed',
          'guard.liberator.dev/boot-id': 'boot-1',
          'guard.liberator.dev/device': 'watchdog0 (Fake)',
          'guard.liberator.dev/grant-ms': '3000',
          'guard.liberator.dev/timeout-ms': '2000',
        },
      },
      spec: { holderIdentity: expect.stringMatching(/_[0-9a-f]{8}$/) },
    });
    await pause(3_000);
    expect(dog.bites).toBe(0);
    expect(dog.fed.length).toBeGreaterThan(5);
    const url = await guard.url();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(
      /liberator_guard_state\{state="armed",node="node-1"\} 1/,
    );
    let known: string | undefined;
    dog.onDisarm = () => {
      known = stateIn(simulator);
    };
    expect(await guard.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await vi.waitFor(() => expect(dog.fed.at(-1)?.letters).toMatch(/V$/));
    expect(known).toBe('released');
    expect(guard.stderr).toBe('');
  });

  it('feeds no more when the API server falls silent, and does not pretend at its end', async () => {
    await using simulator = await cluster();
    await using front = await openMutableFront(simulator.url);
    using dog = new FakeWatchdog();
    const kubeconfig = simulator.kubeconfig().replaceAll(simulator.url, front.url);
    await using guard = start(dog, fileOf(kubeconfig));
    await guard.waitFor(isChange('armed'));
    front.mute();
    const mutedAt = performance.now();
    await guard.waitFor(isChange('starving'));
    await vi.waitFor(() => expect(dog.bites).toBe(1), 10_000);
    const lastFedMs = (dog.fed.at(-1)?.at ?? 0) - mutedAt;
    // What it had asked for before the silence may have been answered right at its beginning.
    expect(lastFedMs).toBeLessThan(3_000);
    expect(await guard.kill('SIGTERM')).toEqual({ code: 1, signal: null });
    expect(guard.stderr).toMatch(/could not tell the API server .*, so .* runs on, and resets this machine/);
    expect(dog.fed.map(({ letters }) => letters).join('')).not.toContain('V');
    expect(stateIn(simulator)).toBe('armed');
  });

  it('is no better than its watchdog while it is stopped, and feeds nothing on old grounds when it goes on', async () => {
    await using simulator = await cluster();
    await using front = await openMutableFront(simulator.url);
    using dog = new FakeWatchdog();
    const kubeconfig = simulator.kubeconfig().replaceAll(simulator.url, front.url);
    await using guard = start(dog, fileOf(kubeconfig));
    await guard.waitFor(isChange('armed'));
    guard.signal('SIGSTOP');
    front.mute();
    await pause(4_000);
    expect(dog.bites).toBe(1);
    const fed = dog.fed.length;
    guard.signal('SIGCONT');
    await guard.waitFor(isChange('starving'));
    await pause(1_000);
    expect(dog.fed.length).toBe(fed);
  });

  it('disarms when people switch it off, and arms again when they switch it on', async () => {
    await using simulator = await cluster();
    using dog = new FakeWatchdog();
    await using guard = start(dog, fileOf(simulator.kubeconfig()));
    await guard.waitFor(isChange('armed'));
    const annotate = (off: string | undefined): void =>
      void simulator.store.modify<{ metadata: { annotations?: Record<string, string> } }>(
        resources.leases,
        namespace,
        'liberator-guard-node-1',
        ({ metadata }) => {
          const { 'liberator.dev/guard-off': _, ...others } = metadata.annotations ?? {};
          metadata.annotations = { ...others, ...(off !== undefined && { 'liberator.dev/guard-off': off }) };
          return true;
        },
        { user: 'test' },
      );
    annotate('an upgrade');
    await guard.waitFor(isChange('released'));
    await vi.waitFor(() => expect(dog.fed.at(-1)?.letters).toMatch(/V$/));
    const from = guard.entries.length;
    annotate(undefined);
    await guard.waitFor(isChange('armed'), 10_000, from);
    expect(dog.bites).toBe(0);
  });

  it.each<[string, FakeWatchdogOptions['attributes'], RegExp]>([
    ['that is not there', { timeout: null }, /there is no watchdog .*\/watchdog0/],
    ['without a timeout', { timeout: '0' }, /says nothing of its timeout/],
    ['that is a timer of the kernel', { identity: 'Software Watchdog' }, /--allow-software-watchdog/],
    ['that closing would disarm', { options: '0x8080' }, /load its driver with nowayout=1/],
    ['of which nobody knows that', { options: null }, /load its driver with nowayout=1/],
    ['of which nobody knows more', { nowayout: null }, /load its driver with nowayout=1/],
  ])('refuses a watchdog %s', async (_, attributes, sentence) => {
    await using simulator = await cluster();
    using dog = new FakeWatchdog({ ...(attributes && { attributes }) });
    await using guard = start(dog, fileOf(simulator.kubeconfig()));
    expect(await guard.exit).toEqual({ code: 1, signal: null });
    expect(guard.stderr).toMatch(sentence);
    expect(leaseIn(simulator)).toBeUndefined();
    expect(dog.fed).toEqual([]);
  });

  it('refuses a file where the device should be, and says on its Lease that nobody may rely on it', async () => {
    await using simulator = await cluster();
    using dog = new FakeWatchdog();
    rmSync(dog.device);
    writeFileSync(dog.device, '');
    await using guard = start(dog, fileOf(simulator.kubeconfig()));
    expect(await guard.exit).toEqual({ code: 1, signal: null });
    expect(guard.stderr).toMatch(/is a file like any other, and no watchdog/);
    expect(stateIn(simulator)).toBe('released');
  });
});

describe('a takeover by self-fencing', () => {
  it('frees the pods of a machine once its watchdog has reset it, and no sooner', async () => {
    await using cluster = await SimulatedCluster.start();
    const fencing = {
      ladder: [{ fencer: 'watchdog', for: '60s' }, { fencer: 'manual' }],
      proof: 'required',
    } as const;
    const fencers = { watchdog: { driver: 'watchdog', longestWait: '30s' } };
    cluster.simulator.store.create(resources.namespaces, { metadata: { name: namespace } }, { user: 'test' });
    await cluster.startAgents(fencing, () => ({ fencers }));
    const node = cluster.databaseNode();
    const bootId = cluster.node(node)?.status?.nodeInfo?.bootID ?? '';
    expect(bootId).not.toBe('');
    using dog = new FakeWatchdog({ bootId });
    await using guard = start(dog, cluster.kubeconfig('guard'), node);
    await guard.waitFor(isChange('armed'));
    let resetAt = Number.POSITIVE_INFINITY;
    dog.onBite = () => {
      resetAt = performance.now();
    };

    // It hangs as a whole, its watchdog excepted.
    guard.signal('SIGSTOP');
    await cluster.crash(node);
    const record = await cluster.recovered(node);

    expect(record).toMatchObject({ result: 'recovered', fencer: 'watchdog', proof: 'self-fenced' });
    expect(record.proofEvidence?.map(({ witness }) => witness)).toEqual([
      'guard on watchdog0 (Fake)',
      'API server',
    ]);
    expect(resetAt).toBeLessThan(performance.now());
    const heldMs =
      Date.parse(record.steps.fence?.endedAt ?? '') - Date.parse(record.steps.fence?.startedAt ?? '');
    // (3 s + 2 x 2 s + 5 s) x 1.25
    expect(heldMs).toBeGreaterThanOrEqual(15_000);
  });
});
