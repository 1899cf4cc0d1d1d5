// What the example's operator decided: which fencer, and that its proof is needed.
import { defaultHeartbeatDetection, type Policy } from '@liberator/core';

/** With `proof: required`, nothing on the node is released before the fencer has vouched for it. */
export const policy: Policy = {
  name: 'racks',
  nodes: { all: true },
  detection: defaultHeartbeatDetection,
  controlPlane: false,
  evidence: 'unreachable',
  budget: { maxDead: 1, maxDeadPercent: 34 },
  fencing: { ladder: [{ fencer: 'power-switch' }], proof: 'required' },
  node: 'delete',
};
