// A simulation as people read it: what would happen when, what becomes of each pod, and what a human could do. Pure.
import type { PodFate, SimulatedDeaths, SimulatedMoment, SimulatedNode, WayToDie } from '@liberator/core';
import { printable, table, wrap } from '../text/table.ts';
import { took } from '../text/time.ts';
import { whatAHumanCanDo } from './advice.ts';

export interface SimulationView extends SimulatedDeaths {
  readonly killed: readonly string[];
  readonly how: WayToDie;
  /** How many nodes there are. */
  readonly of: number;
  readonly unread: readonly string[];
  /** Where the configuration is from. */
  readonly origin: string;
}

/** @param columns - How wide a line may be; undefined: as wide as it likes. */
export function simulationText(view: SimulationView, columns: number | undefined): readonly string[] {
  const { killed, how, of, timeline, nodes, unread, origin, ended, lastAt } = view;
  const what = how === 'crash' ? namesOf(killed) : `only the kubelets of ${namesOf(killed)}`;
  const title = `If ${what} died now (${killed.length} of ${of} nodes; ${origin}):`;
  const events = grouped(timeline).map(({ at, names, text }) => [`+${took(at)}`, names, text]);
  const end =
    ended === 'settled'
      ? `After ${took(lastAt)} nothing more changes by time alone.`
      : 'It was looked at for no longer.';
  const advice = whatAHumanCanDo(view);
  return [
    ...wrap(title, columns),
    '',
    ...(events.length === 0 ? ['Nothing would follow.'] : table(events, columns, '  ')),
    '',
    end,
    ...nodes.flatMap((node) => ['', ...nodeText(node, how, columns)]),
    ...(advice.length === 0 ? [] : ['', 'What a human could do:', ...bulleted(advice, columns)]),
    ...(unread.length === 0 ? [] : ['', 'Not known:', ...bulleted(unread, columns)]),
    '',
    ...wrap(
      'Taken for granted: all other nodes stay well, their hosts answer probes, and each step takes as long as on an idle ' +
        'control plane, also of takeovers that are at work already. ' +
        (killed.length > 1
          ? 'Which of several nodes is missed first hangs on the moment at which they die. '
          : '') +
        'Nothing was written.',
      columns,
    ),
  ];
}

function bulleted(sentences: readonly string[], columns: number | undefined): readonly string[] {
  return sentences.flatMap((one) =>
    wrap(printable(one), columns && columns - 4).map(
      (line, index) => `${index === 0 ? '  - ' : '    '}${line}`,
    ),
  );
}

interface Group {
  readonly at: number;
  readonly names: string;
  readonly text: string;
}

/** What happens to many nodes within a second is one line. */
function grouped(timeline: readonly SimulatedMoment[]): readonly Group[] {
  const groups = Map.groupBy(timeline, (one) => `${Math.floor(one.at / 1_000)} ${kindOf(one)}`);
  return [...groups.values()].flatMap((all) => {
    const [first] = all;
    if (first === undefined) return [];
    const names = all.flatMap((one) => ('node' in one ? [one.node] : []));
    const text = wordsOf(first, all.length > 1);
    return text === undefined ? [] : [{ at: first.at, names: namesOf(names), text }];
  });
}

function kindOf(moment: SimulatedMoment): string {
  switch (moment.kind) {
    case 'health':
      return `health ${moment.to} ${moment.evidence}`;
    case 'held':
      return `held ${moment.holds.map(({ guard }) => guard).join()}`;
    case 'sight':
      return `sight ${moment.blind.join()}`;
    case 'leader':
      return `leader ${moment.state}`;
    case 'over':
      return `over ${moment.result}`;
    case 'released':
      return moment.stuck === undefined ? 'released' : 'released in part';
    default:
      return moment.kind;
  }
}

/** Undefined for what tells people nothing. */
function wordsOf(moment: SimulatedMoment, several: boolean): string | undefined {
  switch (moment.kind) {
    case 'health': {
      const { to, evidence, reasons } = moment;
      const why = reasons.length === 0 ? '' : `: ${reasons.join(', ')}`;
      return to === 'dead' ? `dead (${evidence})${why}` : `${to}${why}`;
    }
    case 'sight':
      return moment.blind.length === 0
        ? 'it sees again'
        : `blind, nothing is decided: ${moment.blind.join('; ')}`;
    case 'leader':
      return {
        gone: 'the leader is gone with its node',
        elected: 'another replica leads',
        never: 'no replica is left: nobody decides anything',
      }[moment.state];
    case 'held':
      return `held by ${moment.holds.map(({ guard, reason }) => `${guard}: ${reason}`).join('; ')}`;
    case 'admitted':
      return `taken over, by policy ${moment.policy}`;
    case 'asks':
      return `waits for a proof (${moment.drivers.join(', ')}): a human has to confirm the death`;
    case 'confirmed':
      return 'confirmed by a human, as supposed';
    case 'released':
      return freeWords(moment, several);
    case 'removed':
      return 'the Node is deleted';
    case 'kept':
      return 'the Node stays, tainted';
    case 'over':
      return moment.result === 'recovered'
        ? 'every StatefulSet pod is Ready elsewhere, if it starts as fast as an empty one'
        : 'not every StatefulSet pod is Ready elsewhere: see below';
    default:
      return undefined;
  }
}

function freeWords(
  { pods, stuck }: Extract<SimulatedMoment, { kind: 'released' }>,
  several: boolean,
): string {
  if (stuck === undefined) {
    return several ? 'pods and volumes are free' : `${counted(pods, 'pod')} and all volumes are free`;
  }
  const free = several ? 'pods are free' : `${counted(pods, 'pod')} ${pods === 1 ? 'is' : 'are'} free`;
  const held = several ? 'others' : `${stuck} more`;
  return `${free}; finalizers hold ${held}, which the release gives up after a minute`;
}

function nodeText(node: SimulatedNode, how: WayToDie, columns: number | undefined): readonly string[] {
  const { name, pods, stays, releasedAt } = node;
  const rows = pods.map((pod) => [`${pod.namespace}/${pod.name}`, ...fateOf(pod)]);
  const when =
    releasedAt === undefined && pods.length > 0 ? ' If its pods were let go, after all others:' : '';
  const own =
    stays === 0
      ? ''
      : ` ${counted(stays, 'pod')} of its own (DaemonSets, static ones) ${stays === 1 ? 'stays' : 'stay'}.`;
  return [...wrap(`${name}: ${standing(node, how)}.${own}${when}`, columns), ...table(rows, columns, '  ')];
}

function standing({ outcome, holds, releasedAt, policy, killed }: SimulatedNode, how: WayToDie): string {
  switch (outcome) {
    case 'left-alone':
      return policy === undefined ? 'no policy selects it, so it is left alone' : 'it is gone';
    case 'alive':
      return 'not missed by the end';
    case 'returning':
      return 'it is back from a takeover before, and not trusted again yet';
    case 'undecided':
      return 'missed, but nothing is decided about it';
    case 'held':
      return how === 'stop-kubelet' && killed ? 'held; what runs on it goes on running' : 'held';
    case 'waits':
      return 'its takeover waits for a human';
    case 'under-way':
      return holds.length > 0 ? 'its takeover is held' : 'its takeover is not over by the end';
    default:
      return releasedAt === undefined ? 'taken over before' : `released after ${took(releasedAt)}`;
  }
}

function fateOf(pod: PodFate): readonly [string, string] {
  const behind = [
    ...pod.leftBehind.map((data) => `without its data: ${data}`),
    ...(pod.traps.length === 0
      ? []
      : [
          `it may first land on ${namesOf(pod.traps)}, dead too but not known to be, and come free only with it`,
        ]),
  ];
  switch (pod.fate) {
    case 'moves': {
      const others =
        pod.fits > 1 ? [`${pod.fits} nodes would take it`] : ['the only node that would take it'];
      return [`-> ${pod.to ?? ''}`, [...others, ...behind].join('; ')];
    }
    case 'nowhere': {
      const reasons = pod.obstacles.map(({ reason, nodes: on }) => `${reason} (${namesOf(on)})`);
      const why = reasons.length === 0 ? 'there is no other node' : reasons.join('; ');
      return ['NOWHERE', [`no node can take it: ${why}`, ...behind].join('; ')];
    }
    case 'lost':
      return ['LOST', 'nobody makes it anew'];
    case 'unwanted': {
      const held = pod.finalizers === undefined ? [] : [`held by ${finalizersOf(pod)}`];
      return ['gone', ['its StatefulSet or namespace wants it no more', ...held].join('; ')];
    }
    case 'stuck':
      return ['STUCK', `held by ${finalizersOf(pod)}: nothing takes its place before that is off`];
    case 'kept':
      return ['stays', 'somebody wants it kept, and so its Node stays, too'];
    default:
      return ['stays', 'somebody wants it kept: other volumes come free only after six minutes'];
  }
}

function finalizersOf({ finalizers = [] }: PodFate): string {
  return `${finalizers.length === 1 ? 'finalizer' : 'finalizers'} ${finalizers.join(', ')}`;
}

/** `node-1, node-2 and 3 more` */
function namesOf(names: readonly string[]): string {
  const distinct = [...new Set(names)];
  return distinct.length <= 4
    ? distinct.join(', ')
    : `${distinct.slice(0, 3).join(', ')} and ${distinct.length - 3} more`;
}

function counted(count: number, noun: string): string {
  return `${count === 0 ? 'no' : count} ${noun}${count === 1 ? '' : 's'}`;
}
