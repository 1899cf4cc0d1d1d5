// `liberator fence NODE --power-off` and `--power-on`: an acceptance test, in which a person's typed word stands in for a death.
import { createReader, type Fencer, fenceByHand, readTakeovers, systemClock, whoAmI } from '@liberator/core';
import { placeOf } from '../cluster/place.ts';
import { askForName } from '../confirm/ask.ts';
import { missingFilesFor } from '../fencers/missing-files.ts';
import { exitCode } from '../process/exit-code.ts';
import { FatalError } from '../process/failure.ts';
import { whoami } from '../process/whoami.ts';
import { formatDuration } from '../text/duration.ts';
import { json, lines, widthOf } from '../text/output.ts';
import { wrap } from '../text/table.ts';
import { askAll } from './check-ladder.ts';
import { type Checked, evidenceText, ladderText, switchText } from './fence-text.ts';
import { type FenceScene, failed } from './scene.ts';
import { whyNotToSwitch } from './why-not.ts';

/**
 * @param onOrder - Called right before its device is asked to switch it.
 * @throws {@link FatalError} for every end but that it was switched.
 */
export async function switchByHand(scene: FenceScene, onOrder: () => void): Promise<void> {
  const { flags, node, cluster, fencers } = scene;
  const [fencer] = fencers;
  if (fencer === undefined) return;
  const act = flags.powerOff === true ? 'off' : 'on';
  const check = await identified(scene, fencer);
  await refuseDanger(scene, fencer, act);
  const pods = act === 'off' ? await cluster.listPodsOn(node.metadata.name) : [];
  const text = {
    act,
    node,
    policy: scene.policy?.name,
    check,
    pods,
    afterwards: afterwards(scene, act),
  } as const;
  // Where a program reads the answer, a person still reads the question.
  const screen = flags.output === 'json' ? process.stderr : process.stdout;
  screen.write(lines(switchText(text, widthOf(screen))));
  await confirmed(node.metadata.name, act, screen);
  const by = (await whoAmI({ transport: scene.transport })) ?? whoami();
  await carryOut(scene, { fencer, act, by }, onOrder);
}

/** @throws {@link FatalError} unless the fencer is ready, and nobody can doubt which machine it would switch. */
async function identified(scene: FenceScene, fencer: Fencer): Promise<Checked> {
  const { node, config, flags, target } = scene;
  const { name } = node.metadata;
  const [check] = await askAll({ ...scene, fencers: [fencer] });
  if (check?.outcome === 'ready' && (check.machine === 'matched' || check.machine === 'chosen')) return check;
  const missing = missingFilesFor(target, config.fencers, [fencer.name]);
  const about = { node: name, policy: undefined, missing, namespace: config.namespace, config: flags.config };
  if (check !== undefined) process.stderr.write(lines(ladderText([check], about, widthOf(process.stderr))));
  throw failed(
    `fencer ${fencer.name} does not say that it would switch the machine of ${name} and no other: nothing was switched`,
    'LIBERATOR_NOT_READY',
  );
}

/** @throws {@link FatalError} where switching it would be more than a test. */
async function refuseDanger(scene: FenceScene, fencer: Fencer, act: 'off' | 'on'): Promise<void> {
  const { cluster, node, transport, flags, config } = scene;
  const { namespace } = placeOf(flags, { namespace: config.namespace });
  const [nodes, { records }] = await Promise.all([
    cluster.listNodes(),
    readTakeovers(createReader({ transport }), namespace, { timeoutMs: 10_000 }),
  ]);
  const why = whyNotToSwitch({ act, node, nodes, records, fencer, here: process.env['NODE_NAME'] });
  if (why !== undefined) throw failed(`${why}; nothing was switched`, 'LIBERATOR_REFUSED');
}

function afterwards({ policy, config }: FenceScene, act: 'off' | 'on'): string {
  if (act === 'on') return 'it boots, and its kubelet reports in';
  if (policy === undefined)
    return 'no policy selects it, so nobody takes it over: its pods stay where they are';
  const { detection, name } = policy;
  const deadMs =
    detection.mode === 'poll' ? detection.interval * (detection.threshold + 1) : detection.deadAfter;
  const agent =
    config.mode === 'observe' ? 'is only told, since Liberator observes' : `follows policy ${name}`;
  return `after about ${formatDuration(deadMs)} of silence it is dead, and its takeover ${agent}, unless something holds it; --power-on switches it on again`;
}

/** @throws {@link FatalError} for every answer but the name. */
async function confirmed(node: string, act: 'off' | 'on', screen: NodeJS.WriteStream): Promise<void> {
  const { stdin: input } = process;
  if (!input.isTTY || !screen.isTTY) {
    throw new FatalError(
      'expected a terminal to ask on, and nothing answers in its place; nothing was switched',
      {
        code: 'LIBERATOR_NO_TERMINAL',
        exitCode: exitCode.usage,
      },
    );
  }
  screen.write('\n');
  const question = `To switch ${act} the machine of ${node}, type its name, ${node}: `;
  const answer = await askForName(node, { input, output: screen }, question);
  if (answer === 'interrupted') {
    throw new FatalError('interrupted; nothing was switched', {
      code: 'LIBERATOR_INTERRUPTED',
      exitCode: exitCode.signalled.SIGINT,
    });
  }
  if (answer === 'declined') throw failed('not confirmed; nothing was switched', 'LIBERATOR_NOT_CONFIRMED');
}

interface Order {
  readonly fencer: Fencer;
  readonly act: 'off' | 'on';
  readonly by: string;
}

/** On record before it is done: whoever finds the machine off finds out why. */
async function carryOut(scene: FenceScene, order: Order, onOrder: () => void): Promise<void> {
  const { flags, node, target, cluster, signal } = scene;
  const { fencer, act, by } = order;
  const { name } = node.metadata;
  await tell(scene, order, `${by} switches the machine ${act} with fencer ${fencer.name}: ${flags.reason}`);
  onOrder();
  const done = await fenceByHand({
    fencer,
    target,
    act: act === 'off' ? 'fence' : 'unfence',
    cluster,
    seen: node,
    clock: systemClock,
    signal,
    timeoutMs: flags.timeout,
    onWaiting: (detail) => process.stderr.write(lines(wrap(`waiting: ${detail}`, widthOf(process.stderr)))),
  });
  if (done.outcome !== 'done') {
    const how = done.outcome === 'failed' ? 'failed' : `was not done within ${formatDuration(flags.timeout)}`;
    const words = `switching ${act} the machine of ${name} with fencer ${fencer.name} ${how}: ${done.detail}`;
    await tell(scene, order, words).catch(() => {});
    throw failed(`${words}; what was asked for may still come about`, 'LIBERATOR_NOT_SWITCHED');
  }
  const proof = done.proof === undefined ? '' : `, proof ${done.proof}`;
  await tell(
    scene,
    order,
    `fencer ${fencer.name} switched the machine ${act} for ${by}${proof}: ${done.detail}`,
  );
  if (flags.output === 'json') {
    process.stdout.write(json({ version: 1, node: name, fencer: fencer.name, by, act, ...done }, 2));
    return;
  }
  const columns = widthOf(process.stdout);
  process.stdout.write(
    lines([
      ...wrap(`switched ${act}${proof}: ${done.detail}`, columns),
      ...evidenceText(done.evidence, columns),
    ]),
  );
}

function tell({ node, cluster }: FenceScene, { act, by }: Order, message: string): Promise<void> {
  return cluster.tellOfSwitch(act === 'off' ? 'fence' : 'unfence', node, message, by);
}
