// What of an object may go into a journal: what the world decides by, and nothing that somebody may have meant for few eyes.
import type { Node } from './kubernetes/objects.ts';
import { confirmedDeadAnnotation, confirmedReturnedAnnotation } from './marks/confirmed.ts';
import { excludingMarks } from './marks/excluded.ts';
import { maintenanceAnnotation } from './marks/maintenance.ts';
import { pausedAnnotation } from './marks/paused.ts';
import { epochAnnotation } from './marks/taints.ts';
import type { StoredRecord } from './takeover/cluster.ts';
import type { StepRecord, TakeoverRecord } from './takeover/record.ts';

/** The only annotations that mean something to us. Whatever else is on a Node may be anybody's secret. */
const keptAnnotations: readonly string[] = [
  ...excludingMarks,
  confirmedDeadAnnotation,
  confirmedReturnedAnnotation,
  epochAnnotation,
  maintenanceAnnotation,
  pausedAnnotation,
];

/** The Node without what no policy of ours asks for. Its labels stay: another policy may select by any of them. */
export function cutNode({ metadata, spec, status }: Node): Node {
  const { name, uid, resourceVersion, labels, annotations } = metadata;
  const kept = keptAnnotations.flatMap((key) => {
    const value = annotations?.[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const { bootID, machineID, systemUUID } = status?.nodeInfo ?? {};
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port;
  return {
    metadata: {
      name,
      uid,
      resourceVersion,
      ...(labels && { labels }),
      ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }),
    },
    spec: {
      ...(spec?.taints && {
        taints: spec.taints.map(({ key, value, effect }) => ({
          key,
          ...(value !== undefined && { value }),
          effect,
        })),
      }),
      ...(spec?.unschedulable && { unschedulable: true }),
    },
    status: {
      ...(ready && { conditions: [cutCondition(ready)] }),
      ...(status?.addresses && {
        addresses: status.addresses.map(({ type, address }) => ({ type, address })),
      }),
      ...(port !== undefined && { daemonEndpoints: { kubeletEndpoint: { Port: port } } }),
      nodeInfo: {
        bootID: bootID ?? '',
        ...(machineID && { machineID }),
        ...(systemUUID && { systemUUID }),
      },
    },
  };
}

type Condition = NonNullable<NonNullable<Node['status']>['conditions']>[number];

/** Without its message, in which a kubelet says whatever it likes. */
function cutCondition({ type, status, reason, lastHeartbeatTime, lastTransitionTime }: Condition): Condition {
  return {
    type,
    status,
    ...(reason !== undefined && { reason }),
    ...(lastHeartbeatTime !== undefined && { lastHeartbeatTime }),
    ...(lastTransitionTime !== undefined && { lastTransitionTime }),
  };
}

/** Everything of a record that the world asks for. A later version may have added more, of which nobody here knows what it is. */
const keptFields = [
  'version',
  'id',
  'deathId',
  'node',
  'order',
  'lastHeartbeat',
  'epoch',
  'openedAt',
  'evidence',
  'hung',
  'policy',
  'proof',
  'outOfService',
  'nodeGone',
  'windowPassed',
  'result',
  'closedAt',
] as const satisfies readonly (keyof TakeoverRecord)[];

/** The record without names of pods, without what was noted of the node, and without what devices and people said. */
export function cutRecord({ record, resourceVersion }: StoredRecord): StoredRecord {
  const kept = keptFields.flatMap((key) => (record[key] === undefined ? [] : [[key, record[key]] as const]));
  const steps = Object.entries(record.steps).map(([step, { startedAt, epoch, endedAt, outcome }]) => {
    const cut: StepRecord = {
      startedAt,
      epoch,
      ...(endedAt !== undefined && { endedAt }),
      ...(outcome !== undefined && { outcome }),
    };
    return [step, cut] as const;
  });
  const cut = {
    ...(Object.fromEntries(kept) as Pick<TakeoverRecord, (typeof keptFields)[number]>),
    reasons: [],
    verdicts: [],
    pods: [],
    steps: Object.fromEntries(steps),
    ...(record.undoing !== undefined && { undoing: '' }),
    ...(record.overtaken !== undefined && { overtaken: '' }),
    ...(record.return && { return: { ...record.return, detail: '' } }),
  };
  return { record: cut, resourceVersion, annotations: {} };
}
