// The fencer that does nothing and says so.
import type { Fencer } from './fencer.ts';

/** Gives the proof `none`, which satisfies only a policy whose proof is optional. */
export const noneFencer: Fencer = {
  name: 'none',
  harmless: true,
  async fence() {
    return { outcome: 'fenced', proof: 'none', detail: 'nothing was done to the machine' };
  },
};
