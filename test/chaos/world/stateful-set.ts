// The workload of a simulated cluster: StatefulSets, with volumes or without.
import type { PlannedSet } from './scenario.ts';

/** As it is sent to the API server. */
export function statefulSet({ name, replicas, volumes }: PlannedSet): object {
  const labels = { app: name };
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      serviceName: name,
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'main', image: 'example.com/database:1' }] },
      },
      ...(volumes ? { volumeClaimTemplates: [claim] } : {}),
    },
  };
}
