// Leaves a node to the newer version of Liberator that has a takeover of it on record.
import { type Guard, hold, pass } from '../guard.ts';

export const newerRecord: Guard = {
  name: 'newer-record',
  brake: true,
  evaluate({ node }) {
    if (node.newerRecord === undefined) return pass;
    return hold(
      `record ${node.newerRecord} was written by a newer version, which alone can go on with it: ` +
        'run that version, or delete the record once nothing of it is needed',
    );
  },
};
