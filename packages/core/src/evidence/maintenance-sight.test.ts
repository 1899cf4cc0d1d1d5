// How the ledger remembers since when a node is somebody's to work on. What the guard makes of it is tested beside it.
import { describe, expect, it } from 'vitest';
import type { Node } from '../kubernetes/objects.ts';
import { maintenanceAnnotation } from '../marks/maintenance.ts';
import { Fleet } from '../testing/fleet.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { projectNode } from './witnesses/node-projection.ts';

/** As a watch brings it: with everything that the projection leaves of it. */
function node(uid: string, annotations: Record<string, string>, unschedulable = true): Node {
  const metadata = { name: 'node-1', uid, resourceVersion: '1', annotations };
  return projectNode({ metadata, spec: { unschedulable } });
}

const marked = { [maintenanceAnnotation]: 'disk swap' };

describe('the ledger', () => {
  it('counts a mark from when the watch first brought it, whatever else changes about the node', async () => {
    const clock = new ManualClock({ now: 1_000 });
    const fleet = new Fleet({ clock, policies: [], onHealthChange: () => undefined });
    const seenAt = (): number | undefined => fleet.nodes.get('node-1')?.maintenance?.seenAt;
    fleet.nodeSeen(node('a', {}));
    expect(seenAt()).toBeUndefined();
    fleet.nodeSeen(node('a', marked));
    await clock.advance(60_000);
    fleet.nodeSeen(node('a', { ...marked, other: 'x' }));
    fleet.leaseSeen({
      metadata: { name: 'node-1', uid: 'l', resourceVersion: '1' },
      spec: { renewTime: 't' },
    });
    fleet.assess();
    expect(seenAt()).toBe(1_000);
    fleet.nodeSeen(node('a', { [maintenanceAnnotation]: 'another disk' }));
    expect(seenAt()).toBe(61_000);
    fleet.nodeSeen(node('a', marked, false));
    expect(seenAt()).toBeUndefined();
  });

  it('knows nothing of a namesake that registered anew', async () => {
    const clock = new ManualClock({ now: 0 });
    const fleet = new Fleet({ clock, policies: [], onHealthChange: () => undefined });
    fleet.nodeSeen(node('a', marked));
    await clock.advance(5_000);
    fleet.nodeSeen(node('b', marked));
    expect(fleet.nodes.get('node-1')?.maintenance?.seenAt).toBe(5_000);
  });
});
