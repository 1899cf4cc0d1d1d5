// Whether everything is paused, for whoever only looks.
import { isNotFound } from '../kubernetes/errors.ts';
import type { CallOptions, KubernetesReader } from '../kubernetes/reader.ts';
import { configMaps, leases } from '../kubernetes/resources.ts';
import { pausedAnnotation } from '../marks/paused.ts';
import { pauseIn, pauseName, resolvePause } from './global-pause.ts';

/**
 * Why everything is paused, as a leader would see it at this moment: by the election Lease, and by what is kept beside it in
 * case that is deleted. Undefined when nothing is.
 *
 * @throws as every read does, when one of the two can't be read
 */
export async function readPause(
  reader: KubernetesReader,
  at: {
    readonly namespace: string;
    readonly election: { readonly namespace: string; readonly name: string };
  },
  options: CallOptions = {},
): Promise<string | undefined> {
  const { namespace, election } = at;
  const [lease, kept] = await Promise.all([
    orNothing(reader.get(leases, election, options)),
    orNothing(reader.get(configMaps, { namespace, name: pauseName(election.name) }, options)),
  ]);
  return resolvePause(lease?.metadata, kept && pauseIn(kept), pausedAnnotation).paused;
}

async function orNothing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
