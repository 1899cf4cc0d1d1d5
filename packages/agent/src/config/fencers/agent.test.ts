// What a fencer that runs a fence agent may be told in the configuration file.
import { describe, expect, it } from 'vitest';
import { buildFencers } from '../../fencers/build-fencers.ts';
import { noCluster } from '../../testing/no-cluster.ts';
import { ConfigError, parseConfig } from '../read-config.ts';

const parse = (fencer: string, fencing = 'ladder: [{ fencer: ipmi }]') =>
  parseConfig(
    `fencers: { ipmi: { driver: agent, ${fencer} } }
policies: [{ name: all, nodes: { all: true }, fencing: { ${fencing} } }]`,
    'liberator.yaml',
    { namespace: 'liberator', identity: 'agent-1_00000000' },
  ).config;

const good = 'program: fence_ipmilan, parameters: { ip: "{name}.bmc.lan", lanplus: 1, cipher: 3, ssl: true }';

/** The lines with which it is refused. */
const refusal = (...args: Parameters<typeof parse>): string => {
  try {
    parse(...args);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('expected a refusal, found that it was accepted');
};

describe('a fencer that runs an agent', () => {
  it('is built from what the file says, with numbers and switches as agents take them', () => {
    const { fencers } = parse(`${good}, timeout: 2m, settle: 500ms`);
    expect(fencers['ipmi']).toEqual({
      driver: 'agent',
      program: 'fence_ipmilan',
      parameters: { ip: '{name}.bmc.lan', lanplus: '1', cipher: '3', ssl: '1' },
      secretParameters: {},
      environment: [],
      settle: 500,
      timeout: 120_000,
      proof: 'powered-off',
    });
    expect(buildFencers(fencers, noCluster).at(-1)).toMatchObject({
      name: 'ipmi',
      acts: 'power',
      timeoutMs: 121_000,
    });
  });

  it('switches power unless it says that it isolates', () => {
    const hung = 'ladder: [{ fencer: ipmi }], hungAfter: 5m';
    expect(parse(good, hung).policies[0]?.fencing.hungAfter).toBe(300_000);
    expect(refusal(`${good}, proof: isolated, csiDrivers: all`, hung)).toMatch(
      /hungAfter: expected a fencer that switches power beside it/,
    );
    const [, , isolating] = buildFencers(
      parse(`${good}, proof: isolated, csiDrivers: [a, b]`).fencers,
      noCluster,
    );
    expect(isolating).toMatchObject({ acts: 'storage', proofs: ['isolated'] });
  });

  it.each([
    ['parameters: { ip: "{name}" }', /fencers\.ipmi\.program: /],
    [
      'program: "fence_ipmilan -o off", parameters: { ip: "{name}" }',
      /fencers\.ipmi: expected program to be an absolute path or the name/,
    ],
    [
      'program: fence_ipmilan, parameters: { ip: 10.0.0.7 }',
      /fencers\.ipmi: it would be the same machine whichever node died/,
    ],
    [
      'program: fence_ipmilan, parameters: { ip: "{name}", action: "on" }',
      /fencers\.ipmi: expected no parameter "action"/,
    ],
    [
      'program: fence_ipmilan, parameters: { ip: "{nmae}" }',
      /fencers\.ipmi\.parameters\.ip: expected a template: \{nmae\}/,
    ],
    [
      `${good}, secretParameters: { password: secret }`,
      /secretParameters\.password: expected the absolute path of a file, found none/,
    ],
    [`${good}, proof: isolated`, /fencers\.ipmi: expected the CSI drivers that the proof covers, or all/],
    [`${good}, csiDrivers: all`, /fencers\.ipmi\.csiDrivers: expected nothing/],
    [`${good}, pasword: x`, /fencers\.ipmi\.pasword/],
  ])('is refused before anything dies: %s', (fencer, message) => {
    expect(refusal(fencer)).toMatch(message);
  });

  it('needs no placeholder when it is for one node', () => {
    const { fencers } = parse('program: fence_ipmilan, parameters: { ip: 10.0.0.7 }, node: node-7');
    expect(fencers['ipmi']).toMatchObject({ node: 'node-7' });
  });
});
