// `liberator fence`: what is asked for, of which node, with which of the fencers that the configuration names.
import {
  connectHands,
  createReader,
  type Fencer,
  type FenceTarget,
  type Node,
  notedOf,
  RequestAbortedError,
  selects,
} from '@liberator/core';
import { openCallersCluster } from '../cluster/callers-cluster.ts';
import type { Config, PolicyConfig } from '../config/config.ts';
import { controllerSettings } from '../config/controller-settings.ts';
import { readConfig } from '../config/read-config.ts';
import { buildFencers } from '../fencers/build-fencers.ts';
import { exitCode } from '../process/exit-code.ts';
import { FatalError } from '../process/failure.ts';
import { onStopSignals, type StopSignal } from '../process/signals.ts';
import { checkLadder } from './check-ladder.ts';
import { type FenceFlags, type FenceScene, failed } from './scene.ts';
import { switchByHand } from './switch-by-hand.ts';

/** @throws {@link FatalError} for every end but the good one. */
export async function fenceNode(name: string, flags: FenceFlags): Promise<void> {
  checkFlags(flags);
  const { config } = readConfig(flags.config);
  let stoppedBy: StopSignal | undefined;
  let isOrdered = false;
  using stop = onStopSignals((signal) => {
    stoppedBy = signal;
  });
  const transport = openCallersCluster(flags, 'liberator fence');
  try {
    const all = buildFencers(config.fencers, { reader: createReader({ transport }) });
    const named = flags.fencer === undefined ? undefined : fencerNamed(flags.fencer, all);
    const cluster = connectHands({ transport });
    const node = await cluster.readNode(name);
    if (node === undefined) throw failed(`there is no node ${name}`, 'LIBERATOR_NODE_NOT_FOUND');
    const policy = policyOf(node, config);
    const scene: FenceScene = {
      flags,
      config,
      node,
      target: targetOf(node),
      policy,
      fencers: named === undefined ? ladderOf(node, policy, all) : [named],
      cluster,
      transport,
      signal: stop.signal,
    };
    const onOrder = (): void => {
      isOrdered = true;
    };
    const acts = flags.powerOff === true || flags.powerOn === true;
    await (acts ? switchByHand(scene, onOrder) : checkLadder(scene));
  } catch (error) {
    if (stoppedBy === undefined || error instanceof FatalError) throw error;
    if (!stop.signal.aborted && !(error instanceof RequestAbortedError)) throw error;
    const acts = flags.powerOff === true || flags.powerOn === true;
    const fate = isOrdered
      ? `: what its device was asked for may still come about; liberator fence ${name} --check tells`
      : acts
        ? '; nothing was switched'
        : '';
    throw new FatalError(`interrupted${fate}`, {
      code: 'LIBERATOR_INTERRUPTED',
      exitCode: exitCode.signalled[stoppedBy],
      cause: error,
    });
  } finally {
    await transport.close();
  }
}

function checkFlags({ check, powerOff, powerOn, fencer, reason }: FenceFlags): void {
  const acts = powerOff === true || powerOn === true;
  if (check !== true && !acts) throw wrong('expected --check, --power-off or --power-on, found none of them');
  if (!acts) return;
  if (fencer === undefined) throw wrong('expected --fencer NAME: one device is tried at a time');
  if (reason === undefined) throw wrong('expected --reason TEXT: whoever finds the machine off asks for it');
}

function fencerNamed(name: string, all: readonly Fencer[]): Fencer {
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw wrong(`expected one of the fencers ${all.map((one) => one.name).join(', ')}, found "${name}"`);
}

function policyOf({ metadata }: Node, config: Config): PolicyConfig | undefined {
  const { policies } = controllerSettings(config);
  const index = policies.findIndex(({ nodes }) => selects(nodes, metadata.labels ?? {}));
  return config.policies[index];
}

/** @throws {@link FatalError} where there is nobody to ask. */
function ladderOf(
  { metadata }: Node,
  policy: PolicyConfig | undefined,
  all: readonly Fencer[],
): readonly Fencer[] {
  if (policy === undefined) {
    throw failed(
      `no policy selects ${metadata.name}, so it would never be fenced: name a fencer with --fencer to ask it all the same`,
      'LIBERATOR_NO_POLICY',
    );
  }
  const { ladder, drivers = [] } = policy.fencing;
  const names = ladder?.map(({ fencer }) => fencer) ?? drivers;
  return names.flatMap((name) => all.find((one) => one.name === name) ?? []);
}

/** It did not die: what a device might remember it by is this machine, and no death of it. */
function targetOf(node: Node): FenceTarget {
  const { name, uid } = node.metadata;
  return {
    name,
    uid,
    deathId: `by-hand-${crypto.randomUUID()}`,
    noted: notedOf(node),
    node,
    howToConfirm: 'nothing is waited for: it is tried by hand',
  };
}

function wrong(message: string): FatalError {
  return new FatalError(message, { code: 'LIBERATOR_USAGE', exitCode: exitCode.usage });
}
