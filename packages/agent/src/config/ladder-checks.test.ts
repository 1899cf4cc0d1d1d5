// A ladder that can't do what its policy asks of it is refused before anything dies.
import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from './read-config.ts';

const surroundings = { namespace: 'liberator', identity: 'agent-1_00000000' };

function read(fencing: string, more = '') {
  const text = `
fencers:
  bmc: { driver: redfish, address: "https://{name}.bmc.lan", username: /s/user, password: /s/password }
  san: { driver: agent, program: fence_scsi, parameters: { plug: "{name}" }, proof: isolated, csiDrivers: all }
  hook: { driver: webhook, url: "https://fence.lan", secret: /s/secret, proofs: [powered-off, instance-gone] }
  can-switch-on: { driver: webhook, url: "https://fence.lan", secret: /s/secret, unfences: true }
  self: { driver: watchdog }
  ${more}
policies: [{ name: all, nodes: { all: true }, fencing: { ${fencing} } }]`;
  try {
    return parseConfig(text, 'liberator.yaml', surroundings).warnings.join('\n');
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

describe('the ladder of a policy', () => {
  it.each([
    'ladder: [{ fencer: bmc }, { fencer: manual }], accept: [powered-off, confirmed-by-human]',
    'ladder: [{ fencer: hook }], accept: [instance-gone]',
    'ladder: [{ fencer: bmc }, { fencer: none }], proof: optional, accept: [powered-off]',
    'ladder: [{ fencer: bmc }, { fencer: san }], afterwards: power-on',
    'ladder: [{ fencer: can-switch-on }], afterwards: power-on',
  ])('may be: %s', (fencing) => {
    expect(read(fencing)).toBe('');
  });

  it.each([
    [
      'ladder: [{ fencer: bmc }], accept: [isolated]',
      'accept: expected powered-off, since bmc gives no other proof',
    ],
    [
      'ladder: [{ fencer: bmc }, { fencer: san }], accept: [powered-off]',
      'accept: expected isolated, since san gives no other proof; found none of it',
    ],
    [
      'drivers: [hook], accept: [rebooted]',
      'accept: expected one of powered-off, instance-gone, since hook gives no other proof; found none of them',
    ],
    ['ladder: [{ fencer: self }], accept: [powered-off]', 'accept: expected self-fenced, since self gives'],
    ['ladder: [{ fencer: manual }], afterwards: power-on', 'afterwards: expected leave-off, since no fencer'],
    ['ladder: [{ fencer: san }], afterwards: power-on', 'afterwards: expected leave-off, since no fencer'],
    ['ladder: [{ fencer: hook }], afterwards: power-on', 'afterwards: expected leave-off, since no fencer'],
    ['ladder: [{ fencer: self }], afterwards: power-on', 'afterwards: expected leave-off, since no fencer'],
  ])('is refused: %s', (fencing, sentence) => {
    expect(read(fencing)).toContain(sentence);
  });

  it.each([
    [
      'ladder: [{ fencer: none }, { fencer: bmc }, { fencer: manual }], proof: optional',
      'ladder[0]: the ladder of the policy "all": bmc, manual would never be asked, since "none" before it ends the ladder',
    ],
    ['drivers: [bmc, none]', 'drivers[1]: the ladder of the policy "all": none does nothing in it'],
  ])('is warned of: %s', (fencing, sentence) => {
    expect(read(fencing)).toContain(sentence);
  });
});

describe('a fencer', () => {
  it.each([
    'driver: redfish, address: "https://{name}.lan", username: /u, password: /p, settle: 3m',
    'driver: agent, program: fence_ipmilan, parameters: { ip: "{name}" }, settle: 60s',
    'driver: agent, program: fence_ipmilan, parameters: { ip: "{name}" }, settle: 10s, timeout: 10s',
    'driver: webhook, url: "https://fence.lan", secret: /s/secret, requestTimeout: 60s',
    'driver: webhook, url: "https://fence.lan", secret: /s/secret, pollFor: 61s',
  ])('is refused when one of its parts takes longer than the whole: %s', (keys) => {
    expect(read('ladder: [{ fencer: manual }]', `x: { ${keys} }`)).toMatch(
      /fencers[.]x[.]\w+: expected less than timeout \(\w+\), found \w+/,
    );
  });

  it.each(['password', 'passwd', 'snmp-priv-passwd', 'secret_key', 'community', 'api-token'])(
    'that runs an agent takes the parameter %s out of a file alone',
    (name) => {
      const keys = 'driver: agent, program: fence_x, parameters: { ip: "{name}"';
      const refusal = read('ladder: [{ fencer: manual }]', `x: { ${keys}, ${name}: hunter2 } }`);
      expect(refusal).toContain(`expected the parameter "${name}" among secretParameters`);
      expect(refusal).not.toContain('hunter2');
      const file = `x: { ${keys} }, secretParameters: { ${name}: /s/secret } }`;
      expect(read('ladder: [{ fencer: manual }]', file)).toBe('');
    },
  );
});
