// What fencers get around them in tests in which nobody asks a cluster.
import type { FencerSurroundings } from '../fencers/build-fencers.ts';

const nobody = (): never => {
  throw new Error('there is no cluster');
};

export const noCluster: FencerSurroundings = {
  reader: {
    get: async () => nobody(),
    list: async () => nobody(),
    listPages: nobody,
    watch: nobody,
  },
};
