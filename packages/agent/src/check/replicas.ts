// Are there enough agents, on nodes and in zones that don't die together?
import { type KubernetesReader, type Node, nodes, type Pod, pods } from '@liberator/core';
import type { Account } from './account.ts';
import { type Finding, lookingAt, ok, warning } from './finding.ts';

const zoneLabel = 'topology.kubernetes.io/zone';

export function checkReplicas(reader: KubernetesReader, account: Account): Promise<readonly Finding[]> {
  return lookingAt('the pods of the agent', async () => {
    const [inNamespace, all] = await Promise.all([
      reader.list(pods, { namespace: account.namespace }),
      reader.list(nodes),
    ]);
    return judgeReplicas(inNamespace.items, all.items, account);
  });
}

/** Its pods are those that run under its account, whoever made them and whatever they are called. */
export function judgeReplicas(
  inNamespace: readonly Pod[],
  all: readonly Node[],
  account: Account,
): readonly Finding[] {
  const replicas = inNamespace.filter(
    ({ spec, status, metadata }) =>
      spec?.serviceAccountName === account.name &&
      status?.phase === 'Running' &&
      metadata.deletionTimestamp === undefined,
  );
  const ready = replicas.filter(({ status }) =>
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  );
  if (ready.length === 0) {
    const found = replicas.length === 0 ? 'no pod runs' : `${replicas.length} run, none is Ready`;
    return [warning('replicas', `${found} under ${account.namespace}/${account.name}; nobody would act`)];
  }
  if (ready.length === 1) {
    return [warning('one replica', 'when its node dies, nobody is left to act; run two or more')];
  }
  return [ok(`${ready.length} replicas are Ready`), ...judgeSpread(ready, all)];
}

function judgeSpread(ready: readonly Pod[], all: readonly Node[]): readonly Finding[] {
  const on = new Set(ready.flatMap(({ spec }) => spec?.nodeName ?? []));
  if (on.size === 1) {
    return [warning('spread', `all of them are on ${[...on].join()}: when it dies, nobody is left to act`)];
  }
  const zoneOf = ({ metadata }: Node): string | readonly string[] => metadata.labels?.[zoneLabel] ?? [];
  const zones = new Set(all.flatMap(zoneOf));
  const used = new Set(all.filter(({ metadata }) => on.has(metadata.name)).flatMap(zoneOf));
  const nodesUsed = `on ${on.size} nodes`;
  if (zones.size > 1 && used.size === 1) {
    return [
      warning(
        'spread',
        `${nodesUsed}, but all in zone ${[...used].join()} of ${zones.size}: spread them over zones`,
      ),
    ];
  }
  return [ok('spread', zones.size > 1 ? `${nodesUsed} in ${used.size} zones` : nodesUsed)];
}
