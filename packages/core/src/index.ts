// What users of the library may rely on. Named exports only.

export * from './confirmation/index.ts';
export { type Connection, type ConnectOptions, connect, kubeletProbe } from './connect.ts';
export { Controller } from './controller.ts';
export type {
  ControllerError,
  ControllerEvents,
  DecisionChange,
  LeadershipChange,
  ObservedTakeover,
  SightChange,
} from './controller-events.ts';
export type { ControllerOptions } from './controller-options.ts';
export * from './drilling/index.ts';
export * from './election/index.ts';
export { createLeaseStore, type LeaseStoreOptions } from './election/lease-store.ts';
export type { SeenDeath } from './evidence/deaths.ts';
export type { NodeFact, Observation, ProbeResult, ReadyStatus } from './evidence/fact.ts';
export type { Hearing } from './evidence/hearing.ts';
export type { Assessment, Evidence, Health, NodeState } from './evidence/judgement.ts';
export type { HealthChange } from './evidence/ledger.ts';
export type { MachineIdentity } from './evidence/machine.ts';
export type { MaintenanceSight } from './evidence/maintenance-sight.ts';
export { type NotedNode, notedOf, type StorageClient } from './evidence/noted-node.ts';
export {
  type Detection,
  defaultHeartbeatDetection,
  defaultPollDetection,
  type HeartbeatDetection,
  longestHealthySilenceMs,
  type PollDetection,
} from './evidence/rules.ts';
export { defaultSightRules, type SightRules, shortestSafeDeathMs } from './evidence/sight.ts';
export type { NodeProbe, ProbeDepth } from './evidence/witnesses/host-asker.ts';
export { type ProbeAnswer, type ProbeOptions, probeTcp } from './evidence/witnesses/kubelet-probe.ts';
export * from './fencing/index.ts';
export type { Self } from './hand-over.ts';
export {
  type JournalEntry,
  type JournalHead,
  journalHeadLine,
  journalLine,
  journalVersion,
  type KnownJournalNode,
  type KnownTerm,
  type KnownWorld,
} from './journal-format.ts';
export { JournalLineError, readJournalHead, readJournalLine } from './journal-reading.ts';
export { createReader, type KubernetesClientOptions } from './kubernetes/client.ts';
export {
  type CallDescription,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isNotFound,
  isTooManyRequests,
  isUnauthorized,
  KubernetesError,
  MalformedAnswerError,
  RequestAbortedError,
  RequestTimeoutError,
  type TimeoutPhase,
} from './kubernetes/errors.ts';
export { type LoadKubeConfigOptions, loadKubeConfig } from './kubernetes/kube-config.ts';
export { KubeConfigError } from './kubernetes/kube-config-error.ts';
export type * from './kubernetes/objects.ts';
export type {
  CallOptions,
  Extent,
  KubernetesReader,
  List,
  ListOptions,
  ListPage,
  ListPagesOptions,
  ReadOptions,
  Selection,
  WatchEvent,
  WatchOptions,
} from './kubernetes/reader.ts';
export type { CacheObject } from './kubernetes/reflected-items.ts';
export { Reflector, type ReflectorHandlers, type ReflectorOptions } from './kubernetes/reflector.ts';
export {
  configMaps,
  events,
  leases,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  pods,
  type Resource,
  type ResourceAddress,
  statefulSets,
  type Verb,
  volumeAttachments,
} from './kubernetes/resources.ts';
export {
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from './kubernetes/transport.ts';
export { createTransport, type TransportOptions } from './kubernetes/undici-transport.ts';
export type { SightOptions } from './kubernetes/watch-sight.ts';
export * from './maintenance/index.ts';
export {
  confirmCommand,
  confirmedByAnnotation,
  confirmedDeadAnnotation,
  confirmedReturnedAnnotation,
  confirmOnRecordCommand,
  confirmWays,
} from './marks/confirmed.ts';
export { keepAnnotation } from './marks/pods.ts';
export { epochAnnotation, outOfServiceTaint, takeoverTaintKey } from './marks/taints.ts';
export type { KeptPause, PausableLease, PauseStore } from './pausing/global-pause.ts';
export { readPause } from './pausing/read-pause.ts';
export type { AffectedPod, AffectedVolume, UnwantedPod } from './pods/affected-pod.ts';
export type { FleetNode } from './policy/fleet-node.ts';
export * from './policy/index.ts';
export * from './preflight/index.ts';
export { Replay, type ReplayEvent, type ReplayMoment, type ReplayRules } from './replay.ts';
export { defaultReturnRules, type ReturnMove, type ReturnRules } from './returning/moves.ts';
export type { ReturnProgress } from './returning/returner.ts';
export { simulateDeaths } from './simulate-deaths.ts';
export type {
  EventWrite,
  NodeEvent,
  PublishedEvent,
  RecordListing,
  StoredRecord,
  TakeoverCluster,
  UnreadableRecord,
  WriteOutcome,
} from './takeover/cluster.ts';
export type { CustomResources, WritingRules } from './takeover/custom-resources.ts';
export { type NodeEventReason, nodeEventReasons } from './takeover/event-reasons.ts';
export type { TakeoverProgress } from './takeover/executor.ts';
export { defaultRestoredTaints, type Keepsake } from './takeover/keepsake.ts';
export {
  type GivenBack,
  type Isolation,
  type IsolationProof,
  type PolicyChange,
  type RecordedPolicy,
  type ReturnRecord,
  type StepRecord,
  type TakeoverOrder,
  type TakeoverRecord,
  type TakeoverResult,
  type TakeoverStep,
  takeoverSteps,
} from './takeover/record.ts';
export { RecordUnreadableError, TakeoverTakenError } from './takeover/records/record-writer.ts';
export { type ConfirmationChange, type IgnoredConfirmation, whyIgnored } from './telling/confirmations.ts';
export * from './telling/index.ts';
export type { OmissionCause, OmittedEvents } from './telling/omissions.ts';
export { type NodeTrouble, type TroubleChange, type TroubledAct, whatFails } from './telling/troubles.ts';
export type { LiveRead } from './term/live-read.ts';
export { type Clock, type Random, sleep, systemClock, systemRandom, type TimerHandle } from './time/clock.ts';
export type { Fact, KnownCheck } from './world-state.ts';
