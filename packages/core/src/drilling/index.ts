// Asking fencers whether they could fence, and trying it by hand, before they have to.

export type { FenceChecked } from './drill.ts';
export { canBeDrilled, type DrillRules, defaultDrillRules } from './drill-rules.ts';
export { type FencedByHand, type FencingByHand, fenceByHand } from './fence-by-hand.ts';
export { connectHands, type HandCluster, type HandConnectOptions } from './hand-cluster.ts';
export type { CheckNews } from './results.ts';
