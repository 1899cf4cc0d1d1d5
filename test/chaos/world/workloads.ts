// The workload of a simulated cluster, as it is sent to the API server: StatefulSets, with volumes or without, and Deployments.
import type { PlannedDeployment, PlannedSet } from './scenario.ts';

export function statefulSet({ name, replicas, volumes }: PlannedSet): object {
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
  return workload(name, {
    serviceName: name,
    replicas,
    ...(volumes ? { volumeClaimTemplates: [claim] } : {}),
  });
}

export function deployment({ name, replicas }: PlannedDeployment): object {
  return workload(name, { replicas });
}

function workload(name: string, spec: object): object {
  const labels = { app: name };
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'main', image: 'example.com/database:1' }] },
  };
  return {
    metadata: { name, namespace: 'default' },
    spec: { selector: { matchLabels: labels }, template, ...spec },
  };
}
