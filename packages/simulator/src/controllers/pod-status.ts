// What a kubelet writes into the status of its pods.
import type { Clock } from '@liberator/core';
import { conditionStatus, isReady, setCondition } from './conditions.ts';
import type { ControllerClient } from './controller-client.ts';
import type { KubeletHost } from './node-spec.ts';
import { timeText } from './timestamps.ts';
import type { Condition, ContainerStatus, Draft, Pod } from './wire-objects.ts';

type PodDraft = Draft<Pod>;

/** Says that containers are being made, unless the status says so; a pod that was Ready is so no longer. */
export function reportStarting(
  client: ControllerClient,
  pod: Pod,
  host: KubeletHost,
  clock: Clock,
): Pod | undefined {
  if (pod.status?.startTime !== undefined && conditionStatus(pod, 'ContainersReady') !== 'True') return pod;
  return client.change(
    'pods',
    pod,
    (draft) => {
      const waiting = {
        status: 'False',
        reason: 'ContainersNotReady',
        message: `containers with unready status: [${(draft.spec?.containers ?? []).map(({ name }) => name).join(' ')}]`,
      } as const;
      write(draft, host, clock, {
        ready: [
          { type: 'Ready', ...waiting },
          { type: 'ContainersReady', ...waiting },
        ],
        container: (before) => ({
          ready: false,
          restartCount: before?.restartCount ?? 0,
          state: { waiting: { reason: 'ContainerCreating' } },
        }),
      });
      return true;
    },
    'status',
  );
}

/** Says that the containers run and are ready, unless the status says so. */
export function reportRunning(
  client: ControllerClient,
  pod: Pod,
  host: KubeletHost,
  clock: Clock,
): Pod | undefined {
  if (pod.status?.phase === 'Running' && isReady(pod) && conditionStatus(pod, 'ContainersReady') === 'True') {
    return pod;
  }
  return client.change(
    'pods',
    pod,
    (draft) => {
      const restarted =
        draft.status?.phase === 'Running' && conditionStatus(pod, 'ContainersReady') !== 'True';
      draft.status = { ...draft.status, phase: 'Running' };
      write(draft, host, clock, {
        ready: [
          { type: 'Ready', status: 'True' },
          { type: 'ContainersReady', status: 'True' },
        ],
        container: (before) => ({
          ready: true,
          restartCount: (before?.restartCount ?? 0) + (restarted ? 1 : 0),
          state: { running: { startedAt: timeText(clock) } },
        }),
      });
      return true;
    },
    'status',
  );
}

interface Report {
  readonly ready: readonly Condition[];
  readonly container: (
    before: ContainerStatus | undefined,
  ) => Pick<ContainerStatus, 'ready' | 'restartCount' | 'state'>;
}

function write(draft: PodDraft, host: KubeletHost, clock: Clock, report: Report): void {
  const status: NonNullable<PodDraft['status']> = { ...draft.status };
  const conditions = [...(status.conditions ?? [])];
  setCondition(conditions, { type: 'Initialized', status: 'True' }, clock);
  for (const condition of report.ready) setCondition(conditions, condition, clock);
  status.conditions = conditions;
  status.startTime ??= timeText(clock);
  status.hostIP = host.spec.address ?? '127.0.0.1';
  status.podIP ??= addressOf(draft.metadata.uid);
  status.podIPs = [{ ip: status.podIP }];
  status.hostIPs = [{ ip: status.hostIP }];
  status.containerStatuses = (draft.spec?.containers ?? []).map(({ name, image = '' }) => ({
    name,
    image,
    imageID: image,
    containerID: `simulated://${draft.metadata.uid}/${name}`,
    lastState: {},
    ...report.container(status.containerStatuses?.find((before) => before.name === name)),
  }));
  draft.status = status;
}

/** An address in 10.0.0.0/8 that follows from the pod's uid, so that no two kubelets have to agree on it. */
function addressOf(uid: string): string {
  const octets = [0, 2, 4].map((at) => Number.parseInt(uid.slice(at, at + 2), 16));
  return `10.${octets.join('.')}`;
}
