// All controllers of a control plane, in the order in which they start.
import { AttachDetachController } from './attach-detach.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { DaemonSetController } from './daemon-set.ts';
import { DeploymentController } from './deployment.ts';
import { DisruptionController } from './disruption.ts';
import { EventExpiry } from './event-recorder.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { NamespaceLifecycle } from './namespace-lifecycle.ts';
import { NodeLifecycle } from './node-lifecycle.ts';
import { PodGarbageCollector } from './pod-garbage-collector.ts';
import { ReplicaSetController } from './replica-set.ts';
import { Scheduler } from './scheduler.ts';
import { StatefulSetController } from './stateful-set.ts';
import { StorageAttacher } from './storage-attacher.ts';
import { TaintEviction } from './taint-eviction.ts';
import { VolumeBinder } from './volume-binder.ts';

/** The controllers, not started yet. */
export function controlPlaneOf(context: ControllerContext): readonly Controller[] {
  return [
    new NodeLifecycle(context),
    new TaintEviction(context),
    new PodGarbageCollector(context),
    new StatefulSetController(context),
    new DeploymentController(context),
    new ReplicaSetController(context),
    new DaemonSetController(context),
    new DisruptionController(context),
    new Scheduler(context),
    new VolumeBinder(context),
    new AttachDetachController(context),
    new StorageAttacher(context),
    new GarbageCollector(context),
    new NamespaceLifecycle(context),
    new EventExpiry(context),
  ];
}
