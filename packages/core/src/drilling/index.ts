// Asking fencers whether they could fence, before they have to.

export type { FenceChecked } from './drill.ts';
export { type DrillRules, defaultDrillRules } from './drill-rules.ts';
export type { CheckNews } from './results.ts';
