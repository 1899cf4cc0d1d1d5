// What users of the library may rely on. Named exports only.
export { type Clock, type Random, sleep, systemClock, systemRandom, type TimerHandle } from './clock.ts';
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
export { KubeConfigError, type LoadKubeConfigOptions, loadKubeConfig } from './kubernetes/kube-config.ts';
export { type ProbeAnswer, type ProbeOptions, probeKubelet, probeTcp } from './kubernetes/kubelet-probe.ts';
export type * from './kubernetes/objects.ts';
export type {
  CallOptions,
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
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
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
