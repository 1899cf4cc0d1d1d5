// Kills the leader at every step of a takeover on a real control plane, and the next leader once more, each right after a
// write: as a step is claimed, after what the step itself does, or as its end is on record. Every write of all is tried in
// `test/crash-anywhere`.
import {
  type Node,
  outOfServiceTaint,
  type Pod,
  type TakeoverRecord,
  type TakeoverStep,
  takeoverSteps,
} from '@liberator/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Write, writeOf } from '../chaos/world/writes.ts';
import type { DoorWrite } from './door.ts';
import { fast } from './fast.ts';
import { accountUser } from './installation.ts';
import { Stage } from './stage.ts';

/** None lives on a node: each death shall be the one that is played. */
const agents = ['agent-a', 'agent-b', 'agent-c'] as const;

type Trap = (write: Write, body: string) => boolean;

/** The claim is the creation of the record. */
const opened: Trap = ({ kind, method }, body) =>
  kind === 'record' && method === 'POST' && stepsIn(body) !== undefined;
const claimed =
  (step: TakeoverStep): Trap =>
  ({ kind }, body) => {
    const found = kind === 'record' ? stepsIn(body)?.[step] : undefined;
    return found !== undefined && found.outcome === undefined;
  };
const ended =
  (step: TakeoverStep): Trap =>
  ({ kind }, body) =>
    kind === 'record' && stepsIn(body)?.[step]?.outcome !== undefined;
const kind =
  (wanted: Write['kind']): Trap =>
  (write) =>
    write.kind === wanted;

/** Each of them kills one leader, once the API server has carried out the write and before its answer arrives. */
const deaths: Readonly<Record<TakeoverStep, readonly [Trap, Trap]>> = {
  // It begins the cordon, too, so what follows it is the next leader taking that up.
  claim: [opened, claimed('cordon')],
  cordon: [kind('change-node'), claimed('cordon')],
  // These harm nobody here, so that neither is on record before the release is claimed: one leader dies before, one after.
  fence: [kind('change-node'), ended('fence')],
  recheck: [ended('recheck'), kind('mark-out-of-service')],
  release: [claimed('release'), kind('delete-pod')],
  remove: [claimed('remove'), kind('delete-node')],
  verify: [claimed('verify'), ended('verify')],
};

let stage: Stage;
/** The node whose takeover is watched: leaders write to the records of earlier ones, too. */
let doomed = '';
let traps: readonly Trap[] = [];
let died: readonly string[] = [];

beforeAll(async () => {
  stage = await Stage.open({
    agents,
    // Every takeover costs one, and the last has to leave room for the database.
    nodes: takeoverSteps.length + 2,
    timings: fast.timings,
    // None of these deaths is proven, and no node returns: each counts for as long as this takes.
    policy: {
      detection: fast.detection,
      budget: { maxDead: takeoverSteps.length, maxDeadPercent: 100 },
    },
    settings: fast.settings,
    doorkeeper: async (write, serve) => {
      await serve();
      return !(await springs(write));
    },
  });
});

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

it.each(takeoverSteps)('leaders that die at the step %s are followed by one who finishes', async (step) => {
  for (const identity of agents) {
    // Those that died, and any that gave up because this machine was too slow for it.
    if (!stage.agent(identity).alive) await stage.startReadyAgent(identity);
  }
  const before = await stage.database();
  if (before === undefined) throw new Error('expected mysql-0, found nothing');
  const node = await stage.node(before.spec?.nodeName ?? '');
  if (node === undefined) throw new Error(`expected the Node of ${before.metadata.name}, found none`);
  died = [];
  doomed = node.metadata.name;
  traps = deaths[step];

  stage.cluster.crash(node.metadata.name);
  await stage.untilRecovered(before);

  expect(new Set(died).size).toBe(died.length);
  const deleted = await expectEachHarmOnce(node, before);
  // While nobody led, Kubernetes' own garbage collection may have been faster with the pod.
  if (step === 'release' && !deleted.pod) expect(died.length).toBeGreaterThanOrEqual(1);
  else expect(died).toHaveLength(2);
  const record = (await stage.records()).find(({ node: { uid } }) => uid === node.metadata.uid);
  expect(Object.values(record?.steps ?? {}).map(({ outcome }) => outcome)).toEqual(
    takeoverSteps.map(() => 'done'),
  );
  expect(await stage.nodeNames()).not.toContain(node.metadata.name);
});

/** Whether the write set off the next trap; its sender is gone then. */
async function springs({ method, path, body, userAgent }: DoorWrite): Promise<boolean> {
  const [trap, ...others] = traps;
  const write = writeOf({ method, path, body });
  if (trap === undefined || write === undefined || !trap(write, body)) return false;
  traps = others;
  const identity = /\(([^,)]+)/.exec(userAgent)?.[1] ?? '';
  died = [...died, identity];
  await stage.agent(identity).kill('SIGKILL');
  return true;
}

/** By the API server's audit log, and by uid. */
async function expectEachHarmOnce(node: Node, pod: Pod): Promise<{ pod: boolean }> {
  const nodes = (await stage.deletes('nodes')).filter(({ name }) => name === node.metadata.name);
  const pods = (await stage.deletes('pods')).map(({ uid }) => uid);
  expect(nodes.map(({ uid }) => uid)).toEqual([node.metadata.uid]);
  expect(new Set(pods).size).toBe(pods.length);
  const marks = (
    await stage.cluster.audit({ user: accountUser, verb: 'patch', resource: 'nodes', code: 200 })
  )
    .filter(({ name }) => name === node.metadata.name)
    .map(({ requestObject }) => isMarked(requestObject));
  // Marked, it stays so: later writes are stamps of a new epoch beside what is there.
  expect(marks.filter((marked, at) => marked && marks[at - 1] !== true)).toHaveLength(1);
  return { pod: pods.includes(pod.metadata.uid) };
}

function isMarked(patch: unknown): boolean {
  const taints = (patch as Partial<Node> | undefined)?.spec?.taints ?? [];
  return taints.some(({ key }) => key === outOfServiceTaint.key);
}

/** The steps of the record in a write's body; undefined when there is none in it, or that of another node. */
function stepsIn(body: string): Partial<Record<TakeoverStep, { readonly outcome?: string }>> | undefined {
  const text = (JSON.parse(body) as { data?: Record<string, string> }).data?.['record.json'];
  const record: TakeoverRecord | undefined = text === undefined ? undefined : JSON.parse(text);
  return record?.node.name === doomed ? record.steps : undefined;
}
