// Which pods a takeover would destroy for good, and what can be done before it does.
import { type BarePod, barePods, type KubernetesReader, keepAnnotation, pods } from '@liberator/core';
import { type Finding, lookingAt, ok, warning } from './finding.ts';

/** Longer lists are no longer read. */
const longestList = 12;

export function checkBarePods(reader: KubernetesReader): Promise<readonly Finding[]> {
  return lookingAt('pods that nobody makes anew', async () => {
    const { items } = await reader.list(pods);
    return judgeBarePods(barePods(items));
  });
}

/** A line for each that has something to lose or costs others something; those that are kept and cost nothing are one. */
export function judgeBarePods(all: readonly BarePod[]): readonly Finding[] {
  if (all.length === 0) return [ok('there are none')];
  const troubles = all.filter(({ fate }) => fate !== 'kept');
  const kept = all.length - troubles.length;
  const shown = troubles.slice(0, longestList).map(judgePod);
  const more = troubles.length - shown.length;
  return [
    ...shown,
    ...(more > 0 ? [warning(`and ${more} more`, `as kubectl shows them, without a controller`)] : []),
    ...(kept > 0 ? [ok(`${kept} kept`, `by ${keepAnnotation}, and so would their Nodes be`)] : []),
  ];
}

function judgePod(pod: BarePod): Finding {
  return warning(`${pod.namespace}/${pod.name}, on ${pod.node}`, wordsForFate(pod));
}

/** What becomes of it, and what somebody who doesn't want that can do. */
export function wordsForFate({ namespace, name, fate }: BarePod): string {
  if (fate === 'kept') return `kept by ${keepAnnotation}: a takeover leaves it, and its Node`;
  if (fate === 'kept-at-a-price') {
    return (
      `kept by ${keepAnnotation}, at a price: the volumes of other pods come free six minutes later, unless it tolerates ` +
      'node.kubernetes.io/out-of-service:NoExecute'
    );
  }
  return (
    'a takeover of its node deletes it for good. Let a controller make it, or keep it: ' +
    `kubectl -n ${namespace} annotate pod ${name} ${keepAnnotation}=true`
  );
}
