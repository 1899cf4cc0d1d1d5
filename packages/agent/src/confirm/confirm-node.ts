// `liberator confirm`: shows a death and what hangs on it, asks, writes the word down, and tells what became of it.
import {
  type ConfirmationCluster,
  confirmedDeadAnnotation,
  connectConfirmation,
  createReader,
  type KubernetesReader,
  kubeletProbe,
  type Node,
  previewRelease,
  sleep,
  systemClock,
  type TakeoverRecord,
  type Transport,
  whoAmI,
} from '@liberator/core';
import { openCallersCluster } from '../cluster/callers-cluster.ts';
import type { PlaceFlags } from '../cluster/place.ts';
import { type Place, placeOf } from '../cluster/place.ts';
import { exitCode } from '../process/exit-code.ts';
import { FatalError } from '../process/failure.ts';
import { whoami } from '../process/whoami.ts';
import { readSources } from '../status/read-sources.ts';
import { type StatusView, viewStatus } from '../status/status-view.ts';
import { lines, widthOf } from '../text/output.ts';
import { askForName } from './ask.ts';
import { caseText } from './confirm-text.ts';
import { answerTo, type DeathCase, deathCase } from './death-case.ts';

export interface ConfirmFlags extends PlaceFlags {
  readonly althoughItAnswers?: boolean;
  readonly yes?: boolean;
}

/** A leader sees a word at once, and publishes what follows from it within seconds. */
const answerWithinMs = 20_000;
const lookEveryMs = 500;

/** @throws {@link FatalError} for every end but a word that was written. */
export async function confirmNode(name: string, flags: ConfirmFlags): Promise<void> {
  const transport = openCallersCluster(flags, 'liberator confirm');
  try {
    const place = placeOf(flags);
    const reader = createReader({ transport });
    const cluster = connectConfirmation({ transport, namespace: place.namespace });
    const { death, node } = await openCase(name, reader, cluster, place);
    await show(death, node, cluster, flags);
    if (flags.yes !== true) await ask(name);
    await write(death, cluster, await who(transport));
    console.log(`written: ${confirmedDeadAnnotation}=${death.deathId}`);
    await awaitAnswer(death, reader, place);
  } finally {
    await transport.close();
  }
}

async function openCase(
  name: string,
  reader: KubernetesReader,
  cluster: ConfirmationCluster,
  place: Place,
): Promise<{ readonly death: DeathCase; readonly node: Node | undefined }> {
  const [{ view, records }, node] = await Promise.all([look(reader, place), cluster.readNode(name)]);
  const death = deathCase(view, records, name, node !== undefined);
  if ('problem' in death) throw failed(death.problem, 'LIBERATOR_NOTHING_TO_CONFIRM');
  return { death, node };
}

async function look(
  reader: KubernetesReader,
  place: Place,
): Promise<{ readonly view: StatusView; readonly records: readonly TakeoverRecord[] }> {
  const sources = await readSources(reader, place);
  return { view: viewStatus(sources, new Date().toISOString()), records: sources.records };
}

/** @throws {@link FatalError} when the host answers, and that was not reckoned with. */
async function show(
  death: DeathCase,
  node: Node | undefined,
  cluster: ConfirmationCluster,
  flags: ConfirmFlags,
): Promise<void> {
  const [knock, pods] = await Promise.all([
    kubeletProbe()(node ?? asItWas(death), new AbortController().signal),
    previewRelease(cluster, death.node),
  ]);
  const answers = knock === 'answered' || knock === 'mute' || knock === 'refused';
  const found = {
    now: new Date().toISOString(),
    knock: answers ? `its host is up: a knock at its kubelet's port was ${wordsFor[knock]}` : wordsFor[knock],
    earlier: node?.metadata.annotations?.[confirmedDeadAnnotation],
    pods,
  };
  process.stdout.write(lines(caseText(death, found, widthOf(process.stdout))));
  if ((answers || death.seen?.hostUp === true) && flags.althoughItAnswers !== true) {
    const by = answers ? 'to a knock from here' : 'to the leader';
    throw failed(
      `${death.node} answers ${by}: its machine is up, and what runs on it may still write. Switch it off first; where ` +
        'another machine has its address, say --although-it-answers',
      'LIBERATOR_HOST_ANSWERS',
    );
  }
}

const wordsFor = {
  answered: 'answered',
  mute: 'accepted, and nobody spoke',
  refused: 'refused',
  silent: 'its host is silent',
  failed: 'its host can not be asked from here',
} as const;

/** By the addresses that were noted: another machine may have them by now, and then it is for a human to say so. */
function asItWas({ node, record }: DeathCase): Node {
  return {
    metadata: { name: node, uid: '', resourceVersion: '' },
    status: { addresses: record?.noted?.addresses ?? [] },
  };
}

async function ask(node: string): Promise<void> {
  const { stdin: input, stdout: output } = process;
  if (!input.isTTY || !output.isTTY) {
    throw new FatalError('expected --yes, since there is no terminal to ask on; nothing was written', {
      code: 'LIBERATOR_NO_TERMINAL',
      exitCode: exitCode.usage,
    });
  }
  console.log('');
  const answer = await askForName(node, { input, output });
  if (answer === 'interrupted') {
    throw new FatalError('interrupted; nothing was written', {
      code: 'LIBERATOR_INTERRUPTED',
      exitCode: exitCode.signalled.SIGINT,
    });
  }
  if (answer === 'declined') throw failed('not confirmed; nothing was written', 'LIBERATOR_NOT_CONFIRMED');
}

/** As the API server knows the caller, if it tells. */
async function who(transport: Transport): Promise<string> {
  return (await whoAmI({ transport })) ?? whoami();
}

/** On the Node; on the record when that is gone, be it only now. */
async function write(
  { node: name, deathId, record }: DeathCase,
  cluster: ConfirmationCluster,
  by: string,
): Promise<void> {
  const confirmation = { deathId, by };
  const node = await cluster.readNode(name);
  // Another machine may have registered under its name: the word is not about that one.
  const isSame = node !== undefined && (record === undefined || record.node.uid === node.metadata.uid);
  if (isSame && (await cluster.confirmOnNode(node, confirmation)) === 'written') return;
  if (record !== undefined && (await cluster.confirmOnRecord(record.id, confirmation)) === 'written') return;
  throw failed(
    `${name} is gone or is another one by now: nothing was written; look again`,
    'LIBERATOR_NOT_FOUND',
  );
}

/** @throws {@link FatalError} when nothing follows from the word. */
async function awaitAnswer(death: DeathCase, reader: KubernetesReader, place: Place): Promise<void> {
  for (const deadline = systemClock.now() + answerWithinMs; systemClock.now() < deadline; ) {
    await sleep(systemClock, lookEveryMs);
    const { view, records } = await look(reader, place);
    const answer = answerTo(death, view, records);
    if (answer === undefined) continue;
    if (!answer.taken) throw failed(answer.words, 'LIBERATOR_CONFIRMATION_IGNORED');
    console.log(answer.words);
    return;
  }
  console.log(`the leader has not told yet what follows from that: liberator explain ${death.node}`);
}

function failed(message: string, code: string): FatalError {
  return new FatalError(message, { code, exitCode: exitCode.failed });
}
