// Options of the Redfish driver that can never work, or would have credentials sent anywhere, are refused at once.
import { describe, expect, it } from 'vitest';
import { redfishFencer } from './redfish.ts';
import type { RedfishOptions } from './redfish-options.ts';

const good: RedfishOptions = {
  name: 'bmc',
  address: 'https://{name}.bmc.lan',
  username: '/u',
  password: '/p',
};

describe('options of the Redfish driver', () => {
  it.each<[string, Partial<RedfishOptions>]>([
    ['a name in the address', {}],
    ['a protected label in it', { address: 'https://{label.node-restriction.kubernetes.io/bmc}' }],
    ['an annotation in it, beside hosts', { address: 'https://{annotation.bmc}', hosts: ['*.bmc.lan'] }],
    ['an authority', { ca: '/ca.crt' }],
  ])('may have %s', (_, more) => {
    expect(redfishFencer({ ...good, ...more })).toMatchObject({
      name: 'bmc',
      acts: 'power',
      timeoutMs: 180_000,
    });
  });

  it.each<[Partial<RedfishOptions>, RegExp]>([
    [
      { address: 'https://{annotation.bmc}' },
      /^expected hosts beside address, since a kubelet may set annotation.bmc itself/,
    ],
    [{ address: 'https://{address.InternalIP}', hosts: [] }, /a kubelet may set address.InternalIP itself/],
    [{ address: 'https://{label.bmc}' }, /a kubelet may set label.bmc itself/],
    [{ hosts: ['*'] }, /^expected hosts to be hosts, found "\*"/],
    [{ address: 'bmc' }, /^expected address to be that of a device, found "bmc"/],
    [{ address: 'http://bmc', ca: '/ca' }, /^expected an address with https beside ca/],
    [{ system: '{x}' }, /^expected system to be a template/],
    [{ username: '{x}' }, /^expected username to be a template/],
    [{ settleMs: 0 }, /^expected settleMs to be more than 0 ms, found 0/],
    [{ requestTimeoutMs: Number.NaN }, /^expected requestTimeoutMs to be more than 0 ms/],
  ])('are refused: %j', (more, message) => {
    expect(() => redfishFencer({ ...good, ...more })).toThrow(message);
  });
});
