// What a webhook may be told in the configuration, and what becomes of it.
import { describe, expect, it } from 'vitest';
import { buildFencers } from '../../fencers/build-fencers.ts';
import { noCluster } from '../../testing/no-cluster.ts';
import { ConfigError, parseConfig } from '../read-config.ts';

const url = 'https://fence.example.com/liberator';

function parse(keys: string, policy = '') {
  const fencers = `fencers: { hook: { driver: webhook, secret: /s/secret, ${keys} } }`;
  const policies = `policies: [{ name: all, nodes: { all: true }${policy} }]`;
  return parseConfig(`${fencers}\n${policies}`, 'liberator.yaml', { namespace: 'x', identity: 'y' }).config;
}

function refusal(keys: string, policy?: string): string {
  try {
    parse(keys, policy);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('expected a refusal, found that it was accepted');
}

describe('a webhook in the configuration', () => {
  it('needs a URL and a secret, and has the defaults of the driver', () => {
    const { fencers } = parse(`url: "${url}"`);
    expect(fencers).toEqual({
      hook: {
        driver: 'webhook',
        url,
        secret: '/s/secret',
        answers: 'signed',
        proofs: ['powered-off'],
        unfences: false,
        labels: [],
        annotations: [],
      },
    });
    const [hook] = buildFencers(fencers, noCluster).filter(({ name }) => name === 'hook');
    expect(hook).toMatchObject({ acts: 'power', proofs: ['powered-off'], timeoutMs: 60_000 });
    expect(hook).not.toHaveProperty('unfence');
  });

  it('becomes a fencer with all that it is told', () => {
    const { fencers } = parse(
      `url: "${url}", hosts: [fence.example.com], ca: /s/ca, answers: tls, proofs: [isolated], unfences: true, ` +
        'labels: [a], annotations: [b], requestTimeout: 5s, pollFor: 10s, timeout: 30s, device: { key: "strip {name}" }',
    );
    const hook = buildFencers(fencers, noCluster).find(({ name }) => name === 'hook');
    expect(hook).toMatchObject({ acts: 'storage', proofs: ['isolated'], timeoutMs: 30_000 });
    expect(hook?.unfence).toBeTypeOf('function');
    const noted = {
      machine: { systemUuid: '', machineId: '', providerId: '' },
      addresses: [],
      labels: {},
      annotations: {},
    };
    const target = { name: 'node-1', uid: 'u', deathId: 'd', noted, howToConfirm: '' };
    expect(hook?.device?.(target)).toEqual({ key: 'strip node-1', concurrency: 1 });
  });

  it.each<[string, string, string]>([
    [
      'a host that a kubelet chooses',
      'url: "https://{annotation.hook}/"',
      'hosts: expected the hosts that url may name',
    ],
    [
      'a path that a kubelet chooses',
      'url: "https://a.example.com/{providerID}"',
      'url: expected the URL of a webhook',
    ],
    ['no URL', 'url: fence', 'url: expected the URL of a webhook'],
    ['hosts that are none', `url: "${url}", hosts: ["*"]`, 'hosts[0]: expected a host'],
    ['no hosts', `url: "${url}", hosts: []`, 'hosts: '],
    ['answers by TLS without TLS', 'url: "http://a.example.com", answers: tls', 'answers: expected signed'],
    ['an authority without TLS', 'url: "http://a.example.com", ca: /ca', 'ca: expected nothing'],
    ['the proof none', `url: "${url}", proofs: [none]`, 'proofs[0]: '],
    ['no proofs', `url: "${url}", proofs: []`, 'proofs: '],
    ['a key that there is none of', `url: "${url}", token: x`, 'token'],
  ])('may not have %s', (_, keys, message) => {
    expect(refusal(keys)).toContain(message);
  });

  it('may be asked about a host that is up only when it switches power', () => {
    const policy = ', fencing: { ladder: [{ fencer: hook }], hungAfter: 5m }';
    expect(parse(`url: "${url}"`, policy).policies).toHaveLength(1);
    expect(refusal(`url: "${url}", proofs: [isolated]`, policy)).toContain('hungAfter');
    expect(refusal(`url: "${url}", proofs: [powered-off, confirmed-by-human]`, policy)).toContain(
      'hungAfter',
    );
  });
});
