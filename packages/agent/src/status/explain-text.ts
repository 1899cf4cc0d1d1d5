// Why something is done, or not done, about one node: everything that was asked, whether it holds or not.
import { table } from '../text/table.ts';
import type { NodeView, StatusView } from './status-view.ts';
import { whatHelps } from './what-helps.ts';

/**
 * Undefined for a node that the view does not have.
 *
 * @param columns - How wide a line may be; undefined: as wide as it likes.
 */
export function explanation(
  view: StatusView,
  name: string,
  columns: number | undefined,
): readonly string[] | undefined {
  const node = view.nodes.find((one) => one.name === name);
  if (node === undefined) return undefined;
  const { health, policy, evidence, reasons = [], confirm } = node;
  const facts = [
    ['health', health],
    ['policy', policy ?? 'none selects it, so nobody asks how it is and nothing is ever done about it'],
    ...(evidence === undefined
      ? []
      : [['evidence', [evidence, reasons.join(', ')].filter(Boolean).join(': ')]]),
    ['decision', decisionOf(node, view)],
    ...(view.blind.length > 0 ? [['blind', view.blind.join('; ')]] : []),
    ...(view.paused === undefined ? [] : [['paused', view.paused]]),
    ...(view.outdated === undefined ? [] : [['OUTDATED', view.outdated]]),
  ];
  const guards = guardRows(node);
  return [
    name,
    ...table(facts, columns, '  '),
    ...(guards.length > 0 ? ['', ...table([['GUARD', 'VERDICT', 'REASON'], ...guards], columns)] : []),
    ...(confirm === undefined ? [] : ['', ...whatHelps(node), `  ${confirm}`]),
  ];
}

function decisionOf(
  { name, health, decision, takeover, policy }: NodeView,
  { takeovers }: StatusView,
): string {
  const running = takeovers.find((one) => one.node === name && one.running);
  if (takeover === true || running !== undefined) {
    return `it is being taken over${running === undefined ? '' : `: liberator takeovers ${running.id}`}`;
  }
  if (decision !== undefined) return decision.action === 'act' ? 'take it over' : 'hold';
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
