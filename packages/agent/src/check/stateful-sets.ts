// Which StatefulSets a takeover could not help, and why.
import {
  type ClusterSnapshot,
  type KubernetesReader,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type TakeoverProspect,
  takeoverProspects,
} from '@liberator/core';
import { type Finding, lookingAt, ok, warning } from './finding.ts';

export function checkStatefulSets(reader: KubernetesReader): Promise<readonly Finding[]> {
  return lookingAt('where their pods could go', async () => {
    const snapshot = await takeSnapshot(reader);
    return judgeProspects(takeoverProspects(snapshot));
  });
}

async function takeSnapshot(reader: KubernetesReader): Promise<ClusterSnapshot> {
  const [allNodes, allPods, claims, volumes] = await Promise.all([
    reader.list(nodes),
    reader.list(pods),
    reader.list(persistentVolumeClaims),
    reader.list(persistentVolumes),
  ]);
  return { nodes: allNodes.items, pods: allPods.items, claims: claims.items, volumes: volumes.items };
}

/** A line for each StatefulSet that is well, and one for each pod that is not. */
export function judgeProspects(prospects: readonly TakeoverProspect[]): readonly Finding[] {
  if (prospects.length === 0) return [ok('there are none with a pod on a node')];
  const sets = Map.groupBy(prospects, ({ namespace, statefulSet }) => `${namespace}/${statefulSet}`);
  return [...sets].flatMap(([name, all]) => {
    const troubles = all.flatMap(judgePod);
    if (troubles.length > 0) return troubles;
    return [
      ok(
        name,
        all.length === 1
          ? 'its pod could run elsewhere'
          : `each of its ${all.length} pods could run elsewhere`,
      ),
    ];
  });
}

function judgePod(prospect: TakeoverProspect): readonly Finding[] {
  const { namespace, pod, node, fits, obstacles, leftBehind } = prospect;
  const what = `${namespace}/${pod}, on ${node}`;
  const behind = leftBehind.map((data) =>
    warning(what, `it would start elsewhere without its data: ${data}`),
  );
  if (fits.length > 0) return behind;
  if (obstacles.length === 0) return [warning(what, 'there is no other node'), ...behind];
  const reasons = obstacles.map(({ reason, nodes: on }) => `${reason} (${namesOf(on)})`);
  return [warning(what, `no other node would take it: ${reasons.join('; ')}`), ...behind];
}

function namesOf(names: readonly string[]): string {
  return names.length <= 3 ? names.join(', ') : `${names.length} nodes`;
}
