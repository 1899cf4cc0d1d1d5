import { parseConfig } from '@liberator/agent/src/config/read-config.ts';
import { describe, expect, it } from 'vitest';
import { withoutProbes, withProbes } from '../cluster/demo-cluster.ts';
import { agentConfig } from './agent-config.ts';

const access = { address: 'http://127.0.0.1:8000', username: '/tmp/username', password: '/tmp/password' };

describe("the agents' configuration", () => {
  it.each([
    ['with probes', withProbes],
    ['without probes', withoutProbes],
  ])('is one that the agent takes without a warning, %s', (_name, detection) => {
    const surroundings = { namespace: undefined, identity: 'nobody' };
    const { config, warnings } = parseConfig(
      agentConfig('agent-1.abc', detection, access),
      'file',
      surroundings,
    );
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({ identity: 'agent-1.abc', probe: { enabled: detection.probes } });
  });

  it('acts on the time that the demo tells its readers', () => {
    const surroundings = { namespace: undefined, identity: 'nobody' };
    const detectionOf = (detection: typeof withProbes) =>
      parseConfig(agentConfig('a', detection, access), 'file', surroundings).config.policies[0]?.detection;
    expect(detectionOf(withProbes)).toMatchObject({ deadAfter: withProbes.deadAfterMs });
    expect(detectionOf(withoutProbes)).toMatchObject({ deadUnprobedAfter: withoutProbes.deadAfterMs });
  });
});
