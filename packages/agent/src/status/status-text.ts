// The status as people read it: who leads, how every node is and why nothing is done about it, what is under way.
import { type NodeTrouble, whatFails, whyIgnored } from '@liberator/core';
import { setAsideTable, takeoverTable } from '../takeovers/list.ts';
import { table } from '../text/table.ts';
import { age, between, moment } from '../text/time.ts';
import { drillText } from './drill-text.ts';
import type { ElectionView, NodeView, StatusView } from './status-view.ts';
import { waysToConfirm, whatHelps } from './what-helps.ts';

/** Those that are over and still listed; the rest is what `liberator takeovers` is for. */
const listedFinished = 5;

/** @param columns - How wide a line may be; undefined: as wide as it likes. */
export function statusText(view: StatusView, columns: number | undefined): readonly string[] {
  return [headText, nodesText, readinessText, takeoversText, fencersText, setAsideText, confirmationsText]
    .map((part) => part(view, columns))
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]));
}

function headText(view: StatusView, columns: number | undefined): readonly string[] {
  const { election, at, blind, paused, counts, outdated, writtenAt, knowledge } = view;
  const rows = [['Leader', leaderText(election, at)]];
  if (view.mode === 'observe') rows.push(['Mode', 'OBSERVE: nothing is done, only told']);
  if (knowledge === 'none') {
    rows.push(['Status', 'nobody has published one: an agent does within seconds of beginning to lead']);
  }
  if (outdated !== undefined && writtenAt !== undefined) {
    rows.push(['Status', `OUTDATED, of ${moment(writtenAt)}: ${outdated}`]);
  }
  if (blind.length > 0) rows.push(['Sight', `BLIND, so nothing is decided: ${blind.join('; ')}`]);
  if (paused !== undefined) rows.push(['Paused', `everything: ${paused}`]);
  const listed = new Set(view.nodes.map(({ name }) => name));
  for (const trouble of view.troubles.filter(({ node }) => !listed.has(node))) {
    rows.push(['Failing', `${trouble.node}: ${troubleText(trouble)}`]);
  }
  if (counts !== undefined) {
    const present = Object.entries(counts).filter(([, count]) => count > 0);
    rows.push(['Nodes', present.map(([health, count]) => `${count} ${health}`).join(', ') || 'none']);
  }
  return table(rows, columns);
}

function leaderText(election: ElectionView | undefined, now: string): string {
  if (election === undefined) return 'nobody yet: there is no election Lease';
  const { leader, epoch, since, renewedAt, expired } = election;
  if (leader === '')
    return `nobody: the last one let go ${age(between(renewedAt, now))} ago, in epoch ${epoch}`;
  const renewed = `renewed ${age(between(renewedAt, now))} ago`;
  return expired
    ? `nobody: the Lease of ${leader} has expired, ${renewed}, in epoch ${epoch}`
    : `${leader}, in epoch ${epoch} for ${age(between(since, now))}, ${renewed}`;
}

function nodesText(view: StatusView, columns: number | undefined): readonly string[] {
  if (view.nodes.length === 0) return [];
  const rows = view.nodes.flatMap((node) => nodeRows(node, view));
  const lines = table([['NODE', 'HEALTH', 'SILENT', 'POLICY', 'WHY'], ...rows], columns);
  const all = Object.values(view.counts ?? {}).reduce((sum, count) => sum + count, 0);
  return all > view.nodes.length
    ? [...lines, `and ${all - view.nodes.length} more, no worse than these`]
    : lines;
}

/** What can be said without an agent's word. */
function readinessText({ readiness = [] }: StatusView, columns: number | undefined): readonly string[] {
  if (readiness.length === 0) return [];
  return table(
    [['NODE', 'READY (as Kubernetes sees it)'], ...readiness.map(({ name, ready }) => [name, ready])],
    columns,
  );
}

/** One row, and one below it for each further thing that has to be said. */
function nodeRows(node: NodeView, view: StatusView): readonly (readonly string[])[] {
  const { name, health, policy = '-', silentSince, reasons = [] } = node;
  const silent = silentSince === undefined ? '-' : age(between(silentSince, referenceOf(view)));
  const [first = '', ...more] = [
    ...(reasons.length > 0 ? [reasons.join(', ')] : []),
    ...(node.takeover === true ? ['being taken over'] : []),
    ...(node.wouldTakeOver === true ? ['would be taken over'] : []),
    ...view.troubles.filter((trouble) => trouble.node === name).map(troubleText),
    ...(node.undecided === true
      ? [`not decided: ${view.blind.length > 0 ? 'the leader does not see' : 'only a human can tell'}`]
      : []),
    ...(node.ignoredConfirmation === undefined ? [] : [whyIgnored(node.ignoredConfirmation)]),
    ...holdsOf(node).map((hold) => `held by ${hold}`),
  ];
  return [[name, health, silent, policy, first], ...more.map((line) => ['', '', '', '', line])];
}

export function troubleText({ act, tries, detail }: NodeTrouble): string {
  return act === 'claim'
    ? `could not be claimed: ${detail}`
    : `${whatFails(act)} has failed ${tries} times in a row: ${detail}`;
}

/** What the leader's times are compared with: its own clock as far as it is known, by its last renewal. */
function referenceOf({ election, at }: StatusView): string {
  return election === undefined || election.renewedAt === '' || election.expired ? at : election.renewedAt;
}

function holdsOf({ decision, holds = [] }: NodeView): readonly string[] {
  const verdicts = decision?.verdicts ?? [];
  return [
    ...holds,
    ...verdicts.flatMap(({ guard, verdict }) =>
      verdict.outcome === 'hold' ? [`${guard}: ${verdict.reason}`] : [],
    ),
  ];
}

function takeoversText({ takeovers, at }: StatusView, columns: number | undefined): readonly string[] {
  if (takeovers.length === 0) return ['No takeovers on record.'];
  const running = takeovers.filter((one) => one.running);
  const finished = takeovers.filter((one) => !one.running);
  const shown = [...running, ...finished.slice(0, listedFinished)];
  const lines = takeoverTable(shown, at, columns);
  const more = takeovers.length - shown.length;
  return more > 0 ? [...lines, `and ${more} earlier: liberator takeovers`] : lines;
}

function fencersText(view: StatusView, columns: number | undefined): readonly string[] {
  return drillText(view.drill, referenceOf(view), columns);
}

/** Whoever reads this may be the one who can mend them. */
function setAsideText({ setAside }: StatusView, columns: number | undefined): readonly string[] {
  return setAside.length === 0
    ? []
    : ['Set aside, and left as they are:', ...setAsideTable(setAside, columns)];
}

/** Never broken: a command is there to be copied. */
function confirmationsText({ nodes, takeovers }: StatusView): readonly string[] {
  const up = nodes.filter(({ hostUp }) => hostUp);
  const silent = [
    ...nodes.filter(({ hostUp }) => !hostUp),
    ...takeovers.map(({ node, confirm }) => ({ name: node, confirm })),
  ];
  const commands = silent.flatMap(({ name, confirm }) =>
    confirm === undefined ? [] : waysToConfirm(name, confirm),
  );
  return [
    ...(commands.length === 0 ? [] : ['Once you have made sure that the machine is off:', ...commands]),
    ...up.flatMap((node) =>
      node.confirm === undefined ? [] : [...whatHelps(node), ...waysToConfirm(node.name, node.confirm)],
    ),
  ];
}
