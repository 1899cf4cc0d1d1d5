// A node says of itself what it likes, and still cannot choose who gets our credentials.
import { describe, expect, it } from 'vitest';
import { addressFault, deviceAddress, hostPatternFault, kubeletSays } from './device-address.ts';
import { TemplateError } from './template.ts';

const target = (bmc: string, address = '10.0.0.7') => ({
  name: 'node-1',
  uid: 'u-1',
  noted: {
    machine: { systemUuid: 'ABCD', machineId: '', providerId: '' },
    addresses: [{ type: 'InternalIP', address }],
    labels: { 'node-restriction.kubernetes.io/bmc': bmc },
    annotations: { 'example.com/bmc': bmc },
  },
});

describe('the address of a device', () => {
  it.each([
    ['https://{annotation.example.com/bmc}', 'bmc-7.example.com', 'https://bmc-7.example.com'],
    ['https://{annotation.example.com/bmc}/', 'bmc-7:8443', 'https://bmc-7:8443'],
    ['https://{annotation.example.com/bmc}:8443', 'fd00::7', 'https://[fd00::7]:8443'],
    ['https://{annotation.example.com/bmc}:8443', '[fd00::7]', 'https://[fd00::7]:8443'],
    ['https://[{annotation.example.com/bmc}]', 'fd00::7', 'https://[fd00::7]'],
    ['https://[{annotation.example.com/bmc}]:443', '[fd00::7]', 'https://[fd00::7]'],
    ['http://{name}-bmc.lan', 'x', 'http://node-1-bmc.lan'],
    ['https://chassis.lan:{annotation.example.com/bmc}', '8001', 'https://chassis.lan:8001'],
    ['https://{address.InternalIP}', 'x', 'https://10.0.0.7'],
    ['https://[fd00::1]', 'x', 'https://[fd00::1]'],
  ])('%s with %s is %s', (template, bmc, origin) => {
    expect(addressFault(template)).toBeUndefined();
    expect(deviceAddress(template, target(bmc)).origin).toBe(origin);
  });

  it.each([
    ['https://{name}/redfish', 'without a path'],
    ['https://{name}?x', 'without a path'],
    ['https://{name}#', 'without a path'],
    ['https://root:calvin@{name}', 'credentials stand in files'],
    ['https://root@{name}', 'credentials stand in files'],
    ['{annotation.example.com/bmc}', 'it has to begin with https:// or http://'],
    ['ftp://{name}', 'it has to begin with https:// or http://'],
    ['https://', 'it is no URL'],
    ['https://{name}:99999', 'it is no URL'],
    ['https://{nmae}', '{nmae} is nothing that is known of a node'],
  ])('%s is refused before any machine is known', (template, fault) => {
    expect(addressFault(template)).toContain(fault);
  });

  it.each(['evil.com/x', 'a@evil.com', 'evil.com#', 'evil.com?', 'a\\b', ''])(
    'is not made from %j, which is no host',
    (bmc) => {
      expect(() => deviceAddress('https://{annotation.example.com/bmc}', target(bmc))).toThrow(TemplateError);
    },
  );

  it.each([
    ['bmc-7.example.com:x', 'is no URL'],
    ['1.2.3.4.5', 'is no URL'],
    ['a:1:2', 'is no URL'],
  ])('is not made from %s, which makes no URL', (bmc, words) => {
    expect(() => deviceAddress('https://{annotation.example.com/bmc}', target(bmc))).toThrow(words);
  });
});

describe('the hosts that may be meant', () => {
  it.each<[string, string, string]>([
    ['bmc-7.example.com', 'bmc-7.example.com', 'https://{annotation.example.com/bmc}'],
    ['BMC-7.example.com', 'bmc-7.EXAMPLE.com', 'https://{annotation.example.com/bmc}'],
    ['*.bmc.example.com', 'n7.bmc.example.com', 'https://{annotation.example.com/bmc}'],
    ['bmc-*', 'bmc-7', 'https://{annotation.example.com/bmc}'],
    ['10.7.0.0/16', '10.7.3.4', 'https://{annotation.example.com/bmc}'],
    ['10.7.3.4', '10.7.3.4', 'https://{annotation.example.com/bmc}'],
    ['fd00:7::/64', 'fd00:7::12', 'https://{annotation.example.com/bmc}'],
    ['fd00:7::12', 'fd00:7:0::12', 'https://{annotation.example.com/bmc}'],
    ['bmc-7', 'bmc-7:443', 'https://{annotation.example.com/bmc}'],
    ['bmc-7:8443', 'bmc-7:8443', 'https://{annotation.example.com/bmc}'],
    ['[fd00::7]:8443', '[fd00::7]:8443', 'https://{annotation.example.com/bmc}'],
    ['bmc-7', 'bmc-7', 'https://{annotation.example.com/bmc}:8443'],
    ['10.7.0.0/16:8443', '10.7.0.1:8443', 'https://{annotation.example.com/bmc}'],
  ])('%s allows %s', (pattern, bmc, template) => {
    expect(hostPatternFault(pattern)).toBeUndefined();
    expect(() => deviceAddress(template, target(bmc), ['other.lan', pattern])).not.toThrow();
  });

  it.each([
    ['bmc-7.example.com', 'evil.com'],
    ['bmc-7.example.com', 'bmc-7.example.com.evil.com'],
    ['bmc-7.example.com', 'bmc-7xexample.com'],
    ['*.bmc.example.com', 'bmc.example.com'],
    ['*.bmc.example.com', 'a.b.bmc.example.com'],
    ['10.7.0.0/16', '10.8.0.1'],
    ['10.7.0.0/16', '10.7.0.1.evil.com'],
    ['10.7.0.0/16', 'fd00::1'],
    ['bmc-7', 'bmc-7:8443'],
    ['bmc-7:8443', 'bmc-7'],
    ['fd00:7::/64', 'fd00:8::1'],
    ['127.0.0.0/8', '2130706434x'],
  ])('%s does not allow %s', (pattern, bmc) => {
    expect(hostPatternFault(pattern)).toBeUndefined();
    expect(() => deviceAddress('https://{annotation.example.com/bmc}', target(bmc), [pattern])).toThrow(
      'none of the hosts that may be meant',
    );
  });

  it('are held against the address in the form in which it is asked', () => {
    const template = 'https://{annotation.example.com/bmc}';
    expect(deviceAddress(template, target('0x0a070304'), ['10.7.0.0/16']).hostname).toBe('10.7.3.4');
    expect(() => deviceAddress(template, target('0x7f000001'), ['10.7.0.0/16'])).toThrow(TemplateError);
  });

  it('allow nothing when there are none', () => {
    expect(() => deviceAddress('https://bmc', target('x'), [])).toThrow(TemplateError);
  });

  it.each([
    ['*', 'its last part has to be a name'],
    ['*.*', 'its last part has to be a name'],
    ['10.0.7.*', 'its last part has to be a name'],
    ['0.0.0.0/0', 'every host would match'],
    ['10.0.0.0/40', 'it is no network'],
    ['bmc/24', 'it is no network'],
    ['https://bmc', 'it is neither a host name'],
    ['bmc_7.lan', 'it is neither a host name'],
    ['bmc:70000', 'its port is none'],
    ['', 'it is neither a host name'],
  ])('are refused where %j is one of them', (pattern, fault) => {
    expect(hostPatternFault(pattern)).toContain(fault);
  });
});

describe('what a kubelet may set itself', () => {
  it('is all but names and labels under node-restriction.kubernetes.io', () => {
    const own =
      '{annotation.a}{address.InternalIP}{label.example.com/bmc}{providerID}{systemUUID}{machineID}';
    expect(kubeletSays(own)).toEqual([
      'annotation.a',
      'address.InternalIP',
      'label.example.com/bmc',
      'providerID',
      'systemUUID',
      'machineID',
    ]);
    expect(
      kubeletSays(
        '{name}{uid}{label.node-restriction.kubernetes.io/bmc}{label.example.node-restriction.kubernetes.io/bmc}',
      ),
    ).toEqual([]);
    expect(
      kubeletSays(
        '{label.node-restriction.kubernetes.io.evil.com/bmc}{label.node-restriction.kubernetes.io}',
      ),
    ).toHaveLength(2);
  });
});
