// `liberator fence NODE --check`: asks each fencer, and says what it said.
import { checkFence, systemClock } from '@liberator/core';
import { missingFilesFor } from '../fencers/missing-files.ts';
import { exitCode } from '../process/exit-code.ts';
import { json, lines, widthOf } from '../text/output.ts';
import { type Checked, isReady, ladderText, notReadyIn } from './fence-text.ts';
import type { FenceScene } from './scene.ts';

/** Sets the exit code of the process: 0 when the node could be fenced, 1 when not. */
export async function checkLadder(scene: FenceScene): Promise<void> {
  const { flags, node, policy, config } = scene;
  const { name } = node.metadata;
  const checked = await askAll(scene);
  const ready = isReady(checked);
  process.exitCode = ready ? exitCode.done : exitCode.failed;
  const missing = missingFilesFor(scene.target, config.fencers, notReadyIn(checked));
  if (flags.output === 'json') {
    const view = {
      version: 1,
      node: name,
      ...(policy && { policy: policy.name }),
      ready,
      fencers: checked,
      missing,
    };
    process.stdout.write(json(view, 2));
    return;
  }
  const about = {
    node: name,
    policy: policy?.name,
    missing,
    namespace: config.namespace,
    config: flags.config,
  };
  process.stdout.write(lines(ladderText(checked, about, widthOf(process.stdout))));
}

/** At the same time: whoever waits has asked for all of them. */
export async function askAll({ fencers, target, signal }: FenceScene): Promise<readonly Checked[]> {
  return Promise.all(
    fencers.map(async (fencer): Promise<Checked> => {
      const check = await checkFence(fencer, target, { signal, clock: systemClock });
      return { fencer: fencer.name, ...check };
    }),
  );
}
