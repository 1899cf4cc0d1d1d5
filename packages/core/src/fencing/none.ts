// The fencer that does nothing and says so.
import { noDevice } from './fence-check.ts';
import type { Fencer } from './fencer.ts';

/** Gives the proof `none`, which satisfies only a policy whose proof is optional. */
export const noneFencer: Fencer = {
  name: 'none',
  harmless: true,
  proofs: ['none'],
  async fence() {
    return { outcome: 'fenced', proof: 'none', detail: 'nothing was done to the machine' };
  },
  async check() {
    return noDevice('nobody is asked');
  },
};
