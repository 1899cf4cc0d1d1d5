// What fencers get around them in tests in which nobody asks a cluster.
import type { FencerSurroundings } from '../fencers/build-fencers.ts';

export const noCluster: FencerSurroundings = {
  reader: { get: () => Promise.reject(new Error('there is no cluster')) },
};
