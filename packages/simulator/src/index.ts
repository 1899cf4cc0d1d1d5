// What embedders' tests may rely on. Named exports only.
export type { BmcFaults, BmcMachineFaults } from './bmc/bmc-faults.ts';
export type { BmcMachine, BmcMachineOptions, BmcPower } from './bmc/bmc-machine.ts';
export type { BmcUser } from './bmc/bmc-service.ts';
export {
  type BmcCertificate,
  type BmcRequest,
  type RedfishBmc,
  type RedfishBmcOptions,
  startRedfishBmc,
} from './bmc/redfish-bmc.ts';
export type { RunningPod } from './controllers/container-runtime.ts';
export type { Machine, ProbeOutcome } from './controllers/machine.ts';
export type { NodeSpec } from './controllers/node-spec.ts';
export { kubernetesTimings, type TimingOptions, type Timings } from './controllers/timings.ts';
export { Admission, type DeletionRefusal } from './faults/admission.ts';
export type { Fault, FaultEffect, FaultMatch, RequestFacts } from './faults/fault.ts';
export { Faults, type FaultsOptions } from './faults/faults.ts';
export type { AuditEvent } from './http/audit.ts';
export type { AccessAttributes, Authorizer } from './http/authorization.ts';
export type { HttpServer } from './http/http-server.ts';
export { type ApiHandler, type ApiRequest, type ApiResponse, NoAnswer } from './http/request.ts';
export { Simulator, simulatedStorageClass } from './simulator.ts';
export type { SimulatorOptions } from './simulator-options.ts';
export { type Plural as ResourcePlural, resources, type ServedResource } from './store/resources.ts';
export { type StatusBody, type StatusCause, type StatusDetails, StatusError } from './store/status-error.ts';
export type {
  DeleteOptions,
  ListOptions,
  ResourceType,
  Store,
  StoredObject,
  StoreEvent,
  WriteContext,
} from './store/store.ts';
export { seededRandom } from './time/seeded-random.ts';
export {
  type RunOptions,
  VirtualClock,
  type VirtualClockOptions,
  VirtualTimeLimitError,
} from './time/virtual-clock.ts';
