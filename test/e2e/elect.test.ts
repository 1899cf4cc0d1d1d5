// Three sidecars on a real API server, under the permissions of the example's manifest: whatever happens to the leader
// and to the API server, no two of them ever say that they lead at one moment.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { KubernetesObjectApi } from '@kubernetes/client-node';
import { loadKubeConfig } from '@liberator/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { contradictionsIn, type LeadershipSample, LeadershipSampler } from '../agent/leadership-samples.ts';
import { leaderOf, Sidecar, until } from '../agent/sidecar.ts';
import { ControlPlane } from '../control-plane/cluster.ts';

const manifest = join(
  import.meta.dirname,
  '../../packages/examples/src/sidecar-election/sidecar-election.yaml',
);
const namespace = 'default';
const account = { namespace, name: 'reports' };
const election = 'reports';

/** A leader that can not renew is one for two seconds, and nobody else is one before three have passed. */
const ttl = '3s';
const validMs = 2_000;

const rounds = 3;

/** After this long a process that was told to stop has stopped, on a busy machine too. */
const stopMs = 100;

let cluster: ControlPlane;
let kubeconfig: string;
const sidecars = new Map<string, Sidecar>();
/** Of every process that there was, with the process of today last. */
const samplers = new Map<string, LeadershipSampler[]>();

beforeAll(async () => {
  cluster = await ControlPlane.start({ nodes: 0 });
  const admin = KubernetesObjectApi.makeApiClient(loadKubeConfig({ path: cluster.kubeconfigPath }));
  for (const document of parseAllDocuments(readFileSync(manifest, 'utf8'))) {
    const { metadata, ...object } = document.toJS();
    // There is no node to run it on, so of the Deployment only its form counts.
    const dryRun = object.kind === 'Deployment' ? 'All' : undefined;
    await admin.create({ ...object, metadata: { ...metadata, namespace } }, undefined, dryRun);
  }
  kubeconfig = await cluster.serviceAccountKubeconfig(account);
  await Promise.all(['a', 'b', 'c'].map(start));
});

afterAll(async () => {
  for (const sampler of [...samplers.values()].flat()) sampler[Symbol.dispose]();
  await Promise.all([...sidecars.values()].map((sidecar) => sidecar[Symbol.asyncDispose]()));
  await cluster?.stop();
});

async function start(id: string): Promise<void> {
  const before = samplers.get(id) ?? [];
  // Somebody else may get the port of the one that is gone.
  before.at(-1)?.[Symbol.dispose]();
  const sidecar = await Sidecar.start({ id, kubeconfig, election, namespace, ttl });
  sidecars.set(id, sidecar);
  samplers.set(id, [...before, new LeadershipSampler(sidecar)]);
}

async function leader(): Promise<Sidecar> {
  return sampled(await leaderOf([...sidecars.values()]));
}

/** The next one to lead, once it does. */
async function leaderAfter(former: Sidecar): Promise<Sidecar> {
  return sampled(await leaderOf([...sidecars.values()].filter((sidecar) => sidecar !== former)));
}

/** Once the samples have its term, too: it may be made to end that at once. */
async function sampled(leading: Sidecar): Promise<Sidecar> {
  const { term } = await leading.told();
  const has = ({ sidecar, leads, ...sample }: LeadershipSample): boolean =>
    sidecar === leading.id && leads && sample.term === term;
  await until('its term is sampled', () => samples().some(has), [leading]);
  return leading;
}

function samples(): readonly LeadershipSample[] {
  return [...samplers.values()].flat().flatMap((sampler) => sampler.samples);
}

/** What a sidecar answered to what it was asked from then on, in the order in which the answers came. */
function answersSince(id: string, since: number): readonly LeadershipSample[] {
  return samples()
    .filter(({ sidecar, sentAt }) => sidecar === id && sentAt > since)
    .toSorted((a, b) => a.receivedAt - b.receivedAt);
}

it('never lets two lead at one moment while leaders are stopped, killed and told to go', async () => {
  await leader();
  for (let round = 0; round < rounds; round++) {
    const stopped = await leader();
    const { term } = await stopped.told();
    stopped.process.signal('SIGSTOP');
    // What it was asked before may have been on its way out when it was stopped.
    await pause(stopMs);
    const stoppedAt = performance.now();
    const next = await leaderAfter(stopped);
    stopped.process.signal('SIGCONT');
    await until('it answers', () => answersSince(stopped.id, stoppedAt).length > 10, [stopped]);
    expect(answersSince(stopped.id, stoppedAt)[0]?.leads).toBe(false);
    for (const answer of answersSince(stopped.id, stoppedAt)) {
      if (answer.leads) expect(answer.term).toBeGreaterThan(term ?? Number.POSITIVE_INFINITY);
    }

    // Whoever comes back meanwhile waits like everybody else.
    await next.process.kill('SIGKILL');
    await start(next.id);

    const third = await leader();
    expect(await third.process.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await start(third.id);
  }
  await leader();
  const said = samples();
  expect(contradictionsIn(said)).toEqual([]);
  const terms = new Set(said.filter(({ leads }) => leads).map(({ term }) => term));
  expect(terms.size).toBeGreaterThan(3 * rounds);
});

it('lets nobody lead while the API server hangs, and lets one lead again when it is back', async () => {
  const before = await leader();
  const { term } = await before.told();
  cluster.pauseApiServer();
  const pausedAt = performance.now();
  try {
    // The last renewal may have been answered right before.
    await pause(validMs + 500);
    const answers = [...sidecars.keys()].map((id) => answersSince(id, pausedAt + validMs + 250));
    for (const answersOfOne of answers) {
      expect(answersOfOne.length).toBeGreaterThan(0);
      expect(answersOfOne.filter(({ leads }) => leads)).toEqual([]);
    }
  } finally {
    cluster.resumeApiServer();
  }
  const after = await leader();
  expect((await after.told()).term).toBeGreaterThan(term ?? Number.POSITIVE_INFINITY);
  expect(contradictionsIn(samples())).toEqual([]);
});

it('got along with the permissions of the manifest, and used all of them', async () => {
  const events = await cluster.audit({ resource: 'leases' });
  const ours = events.filter(
    ({ user, stage }) =>
      user === `system:serviceaccount:${account.namespace}:${account.name}` && stage === 'ResponseComplete',
  );
  expect(ours.filter(({ code }) => code === 403)).toEqual([]);
  expect(new Set(ours.map(({ verb }) => verb))).toEqual(new Set(['get', 'create', 'patch']));
});
