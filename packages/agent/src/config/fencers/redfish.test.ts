// The keys of a Redfish fencer: what is wrong is told with its place, and never with what may be a secret.
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ConfigError, parseConfig } from '../read-config.ts';

const surroundings = { namespace: 'liberator', identity: 'agent-1_00000000' };
const good = {
  driver: 'redfish',
  address: 'https://{label.node-restriction.kubernetes.io/bmc}',
  username: '/etc/bmc/username',
  password: '/etc/bmc/{name}/password',
};

const read = (fencer: object) =>
  parseConfig(
    JSON.stringify({ fencers: { bmc: fencer }, policies: [{ name: 'all', nodes: { all: true } }] }),
    'c.yaml',
    surroundings,
  );

function refusal(fencer: object): string {
  try {
    read(fencer);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('expected a refusal, found that it was accepted');
}

describe('a Redfish fencer', () => {
  it('needs an address and files', () => {
    expect(read(good).config.fencers).toEqual({ bmc: good });
  });

  it('may say the rest', () => {
    const more = parse(
      'hosts: ["*.bmc.lan", 10.7.0.0/16:8443]\nca: /ca.crt\nsystem: "{name}"\nsettle: 5s\nrequestTimeout: 20s\ntimeout: 1m\n',
    );
    expect(read({ ...good, ...more }).config.fencers['bmc']).toEqual({
      ...good,
      ...more,
      settle: 5_000,
      requestTimeout: 20_000,
      timeout: 60_000,
    });
  });

  it.each<[string, unknown]>([
    ['text', 'calvin-77'],
    ['a number', 20_491_077],
    ['a list', ['calvin-77']],
    ['a mapping', { value: 'calvin-77' }],
    ['a relative path', 'calvin-77/password'],
    ['no file at all', null],
  ])('takes no password that stands there as %s, and does not tell it', (_, password) => {
    const message = refusal({ ...good, password });
    expect(message).toContain(
      'fencers.bmc.password: expected the absolute path of a file, found none: ' +
        'credentials do not stand in here, but in a file of their own, where a Secret is mounted',
    );
    expect(message).not.toMatch(/calvin|20_?491/);
  });

  it.each<[object, string]>([
    [{ password: undefined }, 'fencers.bmc.password: expected the absolute path of a file, found nothing'],
    [
      { username: '/a/{b}' },
      'fencers.bmc.username: expected a template: {b} is nothing that is known of a node',
    ],
    [
      { address: 'bmc-7' },
      'fencers.bmc.address: expected an address: it has to begin with https:// or http://',
    ],
    [
      { address: 'https://root:calvin@bmc' },
      'fencers.bmc.address: expected an address: credentials stand in files',
    ],
    [
      { address: 'https://bmc/redfish/v1' },
      'fencers.bmc.address: expected an address: it names a host and a port',
    ],
    [
      { address: 'https://{annotation.example.com/bmc}' },
      'fencers.bmc.address: expected hosts beside it, since a kubelet may set annotation.example.com/bmc itself',
    ],
    [
      { address: 'https://{address.InternalIP}' },
      'expected hosts beside it, since a kubelet may set address.InternalIP',
    ],
    [
      { address: 'https://{label.example.com/bmc}' },
      'expected hosts beside it, since a kubelet may set label.example.com',
    ],
    [{ hosts: ['*'] }, 'fencers.bmc.hosts[0]: expected a host: its last part has to be a name'],
    [{ hosts: [] }, 'fencers.bmc.hosts: expected at least 1 in the list, found an empty one'],
    [
      { address: 'http://bmc', ca: '/ca.crt' },
      'fencers.bmc.ca: expected an address with https beside it, found http',
    ],
    [{ ca: 'ca.crt' }, 'fencers.bmc.ca: expected the absolute path of a file'],
    [{ settle: '0s' }, 'fencers.bmc.settle: expected'],
    [
      { requestTimeout: '1m', timeout: '1m' },
      'fencers.bmc.requestTimeout: expected less than timeout (1m), found 1m',
    ],
    [{ passwort: 'x' }, 'fencers.bmc.passwort: expected a known key, found passwort: did you mean password?'],
  ])('is refused with %j', (more, message) => {
    const found = refusal({ ...good, ...more });
    expect(found).toContain(message);
    expect(found).not.toContain('calvin');
  });
});
