// What fencers said of a node, and what switching its machine off would mean, as people read it.
import type { FenceCheck, FenceEvidence, Node, Pod } from '@liberator/core';
import { table, wrap } from '../text/table.ts';
import { moment } from '../text/time.ts';

/** What one fencer said. */
export interface Checked extends FenceCheck {
  readonly fencer: string;
}

/** Some device could fence the node, and none of those that should has anything against it. */
export function isReady(checked: readonly Checked[]): boolean {
  return (
    checked.some(({ outcome }) => outcome === 'ready') &&
    checked.every(({ outcome }) => outcome !== 'not-ready')
  );
}

/** Names of those that are not ready. */
export function notReadyIn(checked: readonly Checked[]): readonly string[] {
  return checked.flatMap(({ fencer, outcome }) => (outcome === 'not-ready' ? [fencer] : []));
}

/** What a ladder is of, and what its fencers lack here. */
export interface LadderAbout {
  readonly node: string;
  readonly policy: string | undefined;
  /** Files that are not on this machine. */
  readonly missing: readonly string[];
  readonly namespace: string;
  readonly config: string;
}

/** @param columns - How wide a line may be; undefined: as wide as it likes. */
export function ladderText(
  checked: readonly Checked[],
  about: LadderAbout,
  columns: number | undefined,
): readonly string[] {
  const { node, policy, missing } = about;
  return [
    policy === undefined ? node : `${node}, of policy ${policy}`,
    '',
    ...checkTable(checked, columns),
    '',
    ...wrap(verdict(node, checked), columns),
    ...(missing.length === 0 ? [] : ['', ...secretsHint(about, columns)]),
  ];
}

function checkTable(checked: readonly Checked[], columns: number | undefined): readonly string[] {
  const rows = checked.map(({ fencer, outcome, machine, power, mayAct, detail }) =>
    outcome === 'no-device'
      ? [fencer, outcome, '-', '-', '-', detail]
      : [fencer, outcome, machine, power, mayAct, detail],
  );
  return table([['FENCER', 'OUTCOME', 'MACHINE', 'POWER', 'MAY ACT', 'SAYS'], ...rows], columns);
}

function verdict(node: string, checked: readonly Checked[]): string {
  if (isReady(checked))
    return `${node} could be fenced at this moment, as far as that shows without doing it.`;
  const against = notReadyIn(checked);
  return against.length === 0
    ? `Nobody could be asked about ${node}: only a human can vouch for its death.`
    : `${against.join(', ')} could not fence ${node} at this moment.`;
}

/** The commands are never broken: they are there to be copied. */
function secretsHint(
  { node, missing, namespace, config }: LadderAbout,
  columns: number | undefined,
): readonly string[] {
  const files = missing.length === 1 ? 'is not' : 'are not';
  return [
    ...wrap(`${missing.join(', ')} ${files} on this machine. Ask where the agent runs:`, columns),
    `  kubectl -n ${namespace} exec -it deploy/liberator -- node liberator.mjs fence ${node} --check`,
    ...(config === '/etc/liberator/liberator.yaml'
      ? ['  (this seems to be that place: is the Secret mounted?)']
      : []),
  ];
}

/** What somebody has to know who is about to switch a machine. */
export interface SwitchCase {
  readonly act: 'off' | 'on';
  readonly node: Node;
  readonly policy: string | undefined;
  readonly check: Checked;
  readonly pods: readonly Pod[];
  /** When Liberator would find it dead, for people. */
  readonly afterwards: string;
}

export function switchText(found: SwitchCase, columns: number | undefined): readonly string[] {
  const { act, node, policy, check, pods } = found;
  const { name, uid } = node.metadata;
  const board = node.status?.nodeInfo?.systemUUID ?? '';
  const facts = [
    ['uid', uid],
    ['policy', policy ?? 'none selects it'],
    [
      'machine',
      `${check.machine === 'chosen' ? 'CHOSEN by the configuration; nothing else tells' : 'matched'}${board === '' ? '' : `: ${board}`}`,
    ],
    ['power', check.power],
    [check.fencer, check.detail],
    ['then', found.afterwards],
  ];
  return [
    `Switching ${act} the machine of ${name}`,
    ...table(facts, columns, '  '),
    ...(act === 'off' ? ['', ...podsText(pods, columns)] : []),
  ];
}

const longestList = 20;

function podsText(pods: readonly Pod[], columns: number | undefined): readonly string[] {
  const ends = pods.filter(({ metadata }) => metadata.ownerReferences?.[0]?.kind !== 'DaemonSet');
  if (ends.length === 0) return ['There are no pods on it beside those of DaemonSets.'];
  const rows = ends.slice(0, longestList).map(({ metadata }) => {
    const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
    return [
      `${metadata.namespace ?? ''}/${metadata.name}`,
      owner === undefined ? 'nobody makes it anew' : `${owner.kind} ${owner.name}`,
    ];
  });
  const more = ends.length - rows.length;
  return [
    'These pods end at once, without being asked:',
    ...table([['POD', 'OF'], ...rows], columns, '  '),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

/** Who said what, and when. */
export function evidenceText(
  evidence: readonly FenceEvidence[],
  columns: number | undefined,
): readonly string[] {
  if (evidence.length === 0) return [];
  // In one column, since it is the last one that is broken: a witness is a whole address mostly.
  const rows = evidence.map(({ at, witness, said }) => [moment(at), `${witness}: ${said}`]);
  return table([['AT', 'WHO SAID WHAT'], ...rows], columns);
}
