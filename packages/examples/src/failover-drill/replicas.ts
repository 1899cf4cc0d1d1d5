// Three replicas of a controller that take part in a drill, and what each tells for its journal.
import {
  Controller,
  connect,
  defaultHeartbeatDetection,
  holdReasons,
  type Policy,
  redfishFencer,
} from '@liberator/core';
import { agentNamespace } from '../demo/cluster/demo-cluster.ts';
import { type ControllerAccess, fencerName } from '../demo/cluster/management-controller.ts';
import { sentenceOf } from '../demo/failure.ts';
import type { Journal } from '../demo/observing/journal.ts';
import type { Place } from '../place/place.ts';

/** Nothing is freed before the machine's management controller has proven that it is off. */
const policy: Policy = {
  name: 'drill',
  nodes: { all: true },
  detection: defaultHeartbeatDetection,
  controlPlane: false,
  evidence: 'unreachable',
  budget: { maxDead: 1, maxDeadPercent: 34 },
  fencing: { ladder: [{ fencer: fencerName }], proof: 'required' },
  node: 'delete',
};

export function createReplicas(
  place: Place,
  access: ControllerAccess,
  journal: Journal,
): readonly Controller[] {
  // Identities must be unique among all controllers that ever lived on this cluster.
  const drill = crypto.randomUUID().slice(0, 8);
  return ['replica-1', 'replica-2', 'replica-3'].map((name) =>
    createReplica(name, drill, place, access, journal),
  );
}

function createReplica(
  agent: string,
  drill: string,
  place: Place,
  access: ControllerAccess,
  journal: Journal,
): Controller {
  const identity = `${agent}.${drill}`;
  const { clock, random, probe } = place;
  const election = { namespace: agentNamespace, name: 'failover-drill' };
  const transport = place.connection(agent);
  const leaseTransport = place.connection(`${agent}-lease`);
  const controller = new Controller({
    ...connect({ transport, leaseTransport, namespace: agentNamespace, election, identity, clock, random }),
    election,
    identity,
    policies: [policy],
    fencers: [redfishFencer({ name: fencerName, ...access })],
    probe,
    clock,
    random,
  });
  controller.on('leadership', ({ leader, epoch }) => {
    if (leader === identity && epoch !== undefined) journal.note({ kind: 'leads', agent, epoch });
  });
  controller.on('sight', ({ blind }) => journal.note({ kind: 'sight', agent, blind }));
  controller.on('health', ({ node, to, assessment: { reasons } }) =>
    journal.note({ kind: 'health', agent, node, to, reasons }),
  );
  controller.on('decision', ({ node, decision }) => {
    if (decision.action === 'hold')
      journal.note({ kind: 'held', agent, node, reasons: holdReasons(decision) });
  });
  controller.on('error', ({ where, error }) =>
    journal.note({ kind: 'trouble', agent, message: `${where}: ${sentenceOf(error)}` }),
  );
  return controller;
}
