// Asks the fencers of whole policies once, from where somebody sits: a bounded number of them, few at a time.
import {
  canBeDrilled,
  checkFence,
  type DrillStatus,
  type Fencer,
  type FenceTarget,
  fencersIn,
  type Node,
  type NodeCheck,
  notedOf,
  type Policy,
  selects,
  systemClock,
} from '@liberator/core';

/** More questions than this are a sample: a person waits for the answers. */
const mostAsked = 200;

const atOnce = 8;

const longestAttention = 50;

interface Question {
  readonly policy: string;
  readonly fencer: Fencer;
  readonly target: FenceTarget;
}

/** In the shape in which a leader publishes the same. */
export async function askFleet(
  nodes: readonly Node[],
  policies: readonly Policy[],
  fencers: readonly Fencer[],
  signal: AbortSignal,
): Promise<DrillStatus> {
  const since = new Date().toISOString();
  const selected = nodes.flatMap((node) => {
    const policy = policies.find((one) => selects(one.nodes, node.metadata.labels ?? {}));
    return policy === undefined ? [] : [{ node, policy }];
  });
  const all = selected.flatMap(({ node, policy }) =>
    fencersIn(policy.fencing).flatMap((name): readonly Question[] => {
      const fencer = fencers.find((one) => one.name === name);
      return fencer === undefined || !canBeDrilled(fencer)
        ? []
        : [{ policy: policy.name, fencer, target: targetOf(node) }];
    }),
  );
  const answers = await askAll(sample(all), signal);
  const attention = answers.filter(({ problem }) => problem !== undefined);
  const shown = policies.filter((policy) => selected.some((one) => one.policy === policy));
  return {
    everyMs: 0,
    since,
    policies: shown.map((policy) => {
      const count = selected.filter((one) => one.policy === policy).length;
      const ladder = fencersIn(policy.fencing).map((name) => {
        const own = answers.filter((one) => one.policy === policy.name && one.fencer === name);
        const notReady = own.filter(({ problem }) => problem !== undefined).length;
        const fencer = fencers.find((one) => one.name === name);
        return fencer === undefined || !canBeDrilled(fencer)
          ? { fencer: name, unchecked: true as const, ready: 0, notReady: 0, waiting: 0 }
          : { fencer: name, ready: own.length - notReady, notReady, waiting: count - own.length };
      });
      return { policy: policy.name, nodes: count, ladder };
    }),
    attention: attention.slice(0, longestAttention),
    more: Math.max(0, attention.length - longestAttention),
  };
}

/** Evenly from all of them, so that every policy and every rack has its share. */
function sample(all: readonly Question[]): readonly Question[] {
  if (all.length <= mostAsked) return all;
  return Array.from({ length: mostAsked }, (_, i) => all[Math.floor((i * all.length) / mostAsked)]).flatMap(
    (one) => one ?? [],
  );
}

/** Those that go through one device one after another. */
async function askAll(questions: readonly Question[], signal: AbortSignal): Promise<readonly NodeCheck[]> {
  const lines = [
    ...Map.groupBy(questions, ({ fencer, target }, i) => deviceOf(fencer, target) ?? i).values(),
  ];
  const answers: NodeCheck[] = [];
  const work = async (): Promise<void> => {
    for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
      for (const question of line) answers.push(await ask(question, signal));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return answers;
}

async function ask({ policy, fencer, target }: Question, signal: AbortSignal): Promise<NodeCheck> {
  const { outcome, machine, power, mayAct, detail } = await checkFence(fencer, target, {
    signal,
    clock: systemClock,
  });
  return {
    node: target.name,
    policy,
    fencer: fencer.name,
    checkedAt: new Date().toISOString(),
    ...(outcome !== 'ready' && { problem: { machine, power, mayAct, detail } }),
  };
}

function deviceOf(fencer: Fencer, target: FenceTarget): string | undefined {
  try {
    return fencer.device?.(target)?.key;
  } catch {
    return undefined;
  }
}

function targetOf(node: Node): FenceTarget {
  const { name, uid } = node.metadata;
  return { name, uid, deathId: '', noted: notedOf(node), node, howToConfirm: '' };
}
