// What the process finds around itself: the namespace of its pod, and a name that no other life of it ever had.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** What only the surroundings know. */
export interface Surroundings {
  /** The pod's own namespace; undefined outside a cluster, and then somebody must name one. */
  readonly namespace: string | undefined;
  readonly identity: string;
}

const namespaceFile = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** A pod's name comes from `POD_NAME` where its manifest sets it: a pod on its host's network is called like the host. */
export function lookAtSurroundings(env: NodeJS.ProcessEnv = process.env): Surroundings {
  const life = randomBytes(4).toString('hex');
  return { namespace: namespaceOfPod(), identity: `${env['POD_NAME'] || hostname()}_${life}` };
}

function namespaceOfPod(): string | undefined {
  try {
    return readFileSync(namespaceFile, 'utf8').trim() || undefined;
  } catch {
    // Not in a pod, or in one without a service account: then the configuration has to say it.
    return undefined;
  }
}
