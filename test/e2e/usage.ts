// What the agent's account did on each control plane, kept beyond the cluster's end so that all of it can be judged together.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEvent } from '../control-plane/audit.ts';
import type { ControlPlane } from '../control-plane/cluster.ts';
import type { Use } from '../deploy/least-privilege.ts';
import { accountUser } from './installation.ts';

/** Where vitest's configuration says that this run keeps it; absent: nobody is going to ask. */
export const usageFolder: string | undefined = process.env['LIBERATOR_E2E_USAGE'];

/**
 * Call it before the cluster goes.
 *
 * @param options.provoked the test makes admission refuse things on purpose: that is not held against anybody
 */
export async function noteUsage(cluster: ControlPlane, options: { provoked?: boolean } = {}): Promise<void> {
  if (usageFolder === undefined) return;
  const events = [
    ...(await cluster.audit({ user: accountUser })),
    ...(await cluster.audit({ user: accountUser, stage: 'ResponseStarted' })),
  ];
  const uses = events
    .filter(({ resource }) => resource !== undefined)
    .map(useOf)
    .filter(({ refusedBy }) => !(options.provoked && refusedBy === 'admission'));
  const distinct = [...new Set(uses.map((use) => JSON.stringify(use)))];
  mkdirSync(usageFolder, { recursive: true });
  writeFileSync(join(usageFolder, `${cluster.name}.jsonl`), distinct.join('\n'));
}

/** All that was noted in this run. */
export function readUsage(folder: string): readonly Use[] {
  return readdirSync(folder).flatMap((file) =>
    readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Use),
  );
}

function useOf(event: AuditEvent): Use {
  const { verb, apiGroup, resource = '', subresource, namespace = '', name = '', allowed, code } = event;
  const refusedBy = allowed ? (code === 403 ? 'admission' : undefined) : 'authorization';
  return {
    verb,
    group: apiGroup,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    ...(refusedBy && { refusedBy }),
  };
}
