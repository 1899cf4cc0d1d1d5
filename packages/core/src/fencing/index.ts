// `@liberator/core/fencing`: what a driver of your own is made of, and the drivers that come with it.

export { type AskingForCheck, checkFence } from './check-fence.ts';
export * from './conformance/index.ts';
export { addressFault, hostPatternFault, kubeletSays } from './device-address.ts';
export { DeviceQueue, type DeviceTurn } from './device-queue.ts';
export { agentFencer } from './drivers/fence-agent.ts';
export {
  type AgentFencerOptions,
  type AgentOptions,
  type AgentProofOptions,
  agentFencerFault,
} from './drivers/fence-agent-options.ts';
export { type NetworkFencerOptions, networkFencer } from './drivers/network-fence.ts';
export { redfishFencer } from './drivers/redfish.ts';
export type { RedfishOptions } from './drivers/redfish-options.ts';
export { webhookFencer } from './drivers/webhook.ts';
export { type WebhookOptions, webhookUrlFault } from './drivers/webhook-options.ts';
export { type FenceCheck, type FenceCheckContext, noDevice } from './fence-check.ts';
export type {
  FenceContext,
  FencePermit,
  FenceRefusal,
  FenceRefusalCode,
} from './fence-context.ts';
export type { FenceConfirmation, FenceMachine, FenceTarget } from './fence-target.ts';
export type { FenceDevice, FenceResult, Fencer, UnfenceResult } from './fencer.ts';
export type { FencingRules, Rung } from './fencing-rules.ts';
export type { GuardedResources, NewObject } from './guarded-resources.ts';
export { hungFault, mayStopHung } from './hung.ts';
export { type Climb, fencersIn, type Ladder, ladderOf, type RungRecord } from './ladder.ts';
export { manualFencer } from './manual.ts';
export { noneFencer } from './none.ts';
export { type AcceptableProof, acceptableProofs, type FenceEvidence, type FenceProof } from './proof.ts';
export { SecretError, Secrets } from './secrets.ts';
export {
  fillIn,
  isTemplate,
  TemplateError,
  type TemplatePlace,
  type TemplateSource,
  templateFault,
} from './template.ts';
export * from './watchdog/index.ts';
export { type Candidate, type WhichMachine, whichMachine } from './which-machine.ts';
