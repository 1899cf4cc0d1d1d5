// Looks for a password in everything that agents tell anybody.
import { expect } from 'vitest';
import type { Stage } from '../stage.ts';

/** Neither it nor the forms in which it travels: what is sent to a device may be logged by nobody. */
export async function expectNowhere(secret: string, stage: Stage): Promise<void> {
  const forms = [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)];
  const metrics = await Promise.all(
    stage.livingAgents.map(async (agent) => (await fetch(`${await agent.url()}/metrics`)).text()),
  );
  const said: Readonly<Record<string, string>> = {
    logs: JSON.stringify(stage.allAgents.map(({ entries }) => entries)),
    stderr: stage.allAgents.map(({ stderr }) => stderr).join('\n'),
    metrics: metrics.join('\n'),
    records: JSON.stringify(await stage.recordObjects()),
    events: JSON.stringify(await stage.allEvents()),
    'requests to the API server': JSON.stringify(await stage.cluster.audit({ userAgent: /liberator/ })),
  };
  for (const [where, text] of Object.entries(said)) {
    for (const form of forms) expect(text.includes(form), `a secret in ${where}`).toBe(false);
  }
}
