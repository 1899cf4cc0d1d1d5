// Why something is done, or not done, about one node: everything that was asked, whether it holds or not.
import { type BarePod, whyIgnored } from '@liberator/core';
import { wordsForFate } from '../check/bare-pods.ts';
import { checkWords } from '../status/drill-text.ts';
import { troubleText } from '../status/status-text.ts';
import type { NodeView, StatusView } from '../status/status-view.ts';
import { waysToConfirm, whatHelps } from '../status/what-helps.ts';
import { proofWords } from '../takeovers/list.ts';
import { table } from '../text/table.ts';
import { moment } from '../text/time.ts';

/**
 * Undefined for a node that the view does not have.
 *
 * @param columns - How wide a line may be; undefined: as wide as it likes.
 * @param bare - Pods of the node that nobody makes anew, as far as they may be read.
 */
export function explanation(
  view: StatusView,
  name: string,
  columns: number | undefined,
  bare: readonly BarePod[] = [],
): readonly string[] | undefined {
  const node = view.nodes.find((one) => one.name === name);
  if (node === undefined) return undefined;
  const { health, policy, evidence, reasons = [], confirm, ignoredConfirmation } = node;
  const facts = [
    ['health', health],
    ['policy', policy ?? 'none selects it, so nobody asks how it is and nothing is ever done about it'],
    ...(evidence === undefined
      ? []
      : [['evidence', [evidence, reasons.join(', ')].filter(Boolean).join(': ')]]),
    ['decision', decisionOf(node, view)],
    ...fencerRows(node, view),
    ...view.troubles.filter((trouble) => trouble.node === name).map((one) => ['failing', troubleText(one)]),
    ...(ignoredConfirmation === undefined ? [] : [['confirmation', whyIgnored(ignoredConfirmation)]]),
    ...(view.blind.length > 0 ? [['blind', view.blind.join('; ')]] : []),
    ...(view.paused === undefined ? [] : [['paused', view.paused]]),
    ...view.setAside
      .filter((one) => one.node === name)
      .map((one) => ['set aside', `record ${one.name}: ${one.problem}`]),
    ...(view.outdated === undefined ? [] : [['OUTDATED', view.outdated]]),
  ];
  const guards = guardRows(node);
  const lonely = bare.map((pod) => [`${pod.namespace}/${pod.name}`, wordsForFate(pod)]);
  return [
    name,
    ...table(facts, columns, '  '),
    ...(guards.length > 0 ? ['', ...table([['GUARD', 'VERDICT', 'REASON'], ...guards], columns)] : []),
    ...(lonely.length > 0 ? ['', 'Pods that nobody makes anew:', ...table(lonely, columns, '  ')] : []),
    ...(confirm === undefined ? [] : ['', ...whatHelps(node), ...waysToConfirm(name, confirm)]),
  ];
}

/** What vouches for its death, or how far that is; and what its fencers said when nothing was the matter. */
function fencerRows(
  { name }: NodeView,
  { takeovers, drill, at }: StatusView,
): readonly (readonly string[])[] {
  const running = takeovers.find((one) => one.node === name && one.running);
  const { climb = [], evidence = [] } = running ?? {};
  const proof = running === undefined ? '' : proofWords(running);
  return [
    ...(proof === '' ? [] : [['fencing', proof]]),
    ...climb.flatMap(({ fencer, detail }) => (detail === undefined ? [] : [[`  ${fencer}`, detail]])),
    ...evidence.map(({ at: when, witness, said }) => ['witness', `${witness}: ${said} (${moment(when)})`]),
    ...(drill?.attention ?? [])
      .filter((one) => one.node === name)
      .map((one) => ['fencer', `${one.fencer} when it was last asked: ${checkWords(one, at)}`]),
  ];
}

function decisionOf(
  { name, health, decision, takeover, policy, undecided }: NodeView,
  { takeovers, blind }: StatusView,
): string {
  const own = takeovers.filter((one) => one.node === name && one.running);
  const running = own.find(({ state }) => state !== 'verify');
  if (takeover === true || running !== undefined) {
    return `it is being taken over${running === undefined ? '' : `: liberator takeovers ${running.id}`}`;
  }
  if (undecided === true) {
    if (blind.length === 0) return 'none: only a human can tell whether it is dead';
    return 'none: the leader does not see, so it decides nothing; after an outage that ends by itself, once nodes are heard again';
  }
  if (decision !== undefined) return decision.action === 'act' ? 'take it over' : 'hold';
  const [verifying] = own;
  if (verifying !== undefined) {
    return `its pods are still waited for: liberator takeovers ${verifying.id}`;
  }
  if (policy === undefined) return 'none';
  return health === 'dead' ? 'it was taken over for this death already' : 'none is due: it is not dead';
}

function guardRows({ decision, holds = [] }: NodeView): readonly (readonly string[])[] {
  const asked = (decision?.verdicts ?? []).map(({ guard, verdict }) =>
    verdict.outcome === 'pass' ? [guard, 'passes', ''] : [guard, 'holds', verdict.reason],
  );
  const marks = holds.map((hold) => {
    const [guard = '', ...reason] = hold.split(': ');
    return [guard, 'would hold', reason.join(': ')];
  });
  return [...asked, ...marks];
}
