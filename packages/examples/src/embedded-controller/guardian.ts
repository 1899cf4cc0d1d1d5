// A controller of your own: Liberator's detection and takeover inside it, your policy, and your reactions to what it tells.
import {
  type Clock,
  Controller,
  connect,
  defaultHeartbeatDetection,
  type NodeProbe,
  noneFencer,
  type Policy,
  type Random,
  type Transport,
} from '@liberator/core';

export interface GuardianOptions {
  readonly transport: Transport;
  /** Another connection, so that nothing can delay the renewal of the election Lease. */
  readonly leaseTransport: Transport;
  readonly probe: NodeProbe;
  /** Where its election and its records are. */
  readonly namespace: string;
  /** Where whoever is on call reads what happens. */
  readonly page: (text: string) => void;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Workers only, one dead node at a time, and only if its host is silent as well. `proof: optional` with no fencer is for
 * machines that a hypervisor powers off by itself when they fall silent; everybody else should have proof.
 */
const policy: Policy = {
  name: 'databases',
  nodes: { matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'DoesNotExist' }] },
  detection: defaultHeartbeatDetection,
  controlPlane: false,
  evidence: 'unreachable',
  budget: { maxDead: 1, maxDeadPercent: 34 },
  fencing: { ladder: [{ fencer: 'none' }], proof: 'optional' },
  node: 'delete',
};

/** Start it with `run(signal)`; start a second one elsewhere, and one of them leads. */
export function createGuardian(options: GuardianOptions): Controller {
  const { transport, leaseTransport, probe, namespace, page, clock, random } = options;
  const identity = `guardian-${crypto.randomUUID()}`;
  const election = { namespace, name: 'guardian' };
  const controller = new Controller({
    ...connect({ transport, leaseTransport, namespace, election, identity, clock, random }),
    election,
    identity,
    policies: [policy],
    fencers: [noneFencer],
    probe,
    clock,
    random,
  });

  controller.on('health', ({ node, to, assessment }) => {
    if (to === 'dead') page(`${node} is dead: ${assessment.reasons.join(', ')}`);
  });
  controller.on('decision', ({ node, decision }) => {
    if (decision.action === 'hold') page(`${node} stays as it is for now: somebody should look`);
  });
  controller.on('takeover', ({ record, step, phase, detail }) => {
    if (phase === 'retrying') page(`the takeover of ${record.node.name} has trouble at ${step}: ${detail}`);
    if (step !== 'close') return;
    for (const { name, replacement } of record.pods) {
      if (replacement !== undefined) page(`${name} is Ready again, on ${replacement.node}`);
    }
  });
  return controller;
}
