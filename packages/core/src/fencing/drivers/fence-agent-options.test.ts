// What is refused before anything is run, whichever node it is about.
import { describe, expect, it } from 'vitest';
import { agentFencer } from './fence-agent.ts';
import type { AgentFencerOptions } from './fence-agent-options.ts';

const options = (more: object): AgentFencerOptions => ({
  name: 'ipmi',
  program: 'fence_ipmilan',
  parameters: { ip: '{name}.bmc.lan' },
  ...more,
});

describe('an agent fencer', () => {
  it.each<[string, object]>([
    ['expected program to be an absolute path or the name of a program', { program: 'fence_ipmilan -o off' }],
    ['expected program to be an absolute path or the name of a program', { program: '../fence_ipmilan' }],
    ['expected program to be an absolute path or the name of a program', { program: '' }],
    ['expected no parameter "action"', { parameters: { ip: '{name}', action: 'on' } }],
    ['expected no parameter "Action"', { parameters: { ip: '{name}', Action: 'on' } }],
    ['expected no parameter "option"', { parameters: { ip: '{name}', option: 'on' } }],
    ['expected no parameter "nodename"', { secretParameters: { nodename: '/file' } }],
    ['expected no parameter "delay"', { parameters: { ip: '{name}', delay: '30' } }],
    ['expected no parameter "debug-file"', { parameters: { ip: '{name}', 'debug-file': '/tmp/x' } }],
    ['expected the name of a parameter, found "ip=x\\naction"', { parameters: { 'ip=x\naction': '{name}' } }],
    [
      'expected each parameter once, found "ssl-insecure" a second time',
      { parameters: { ip: '{name}', ssl_insecure: '1', 'ssl-insecure': '0' } },
    ],
    ['expected each parameter once, found "ip" a second time', { secretParameters: { ip: '/file' } }],
    ['the parameter "ip": {nmae} is nothing that is known of a node', { parameters: { ip: '{nmae}' } }],
    ['the parameter "a": expected a value, found none', { parameters: { ip: '{name}', a: '' } }],
    [
      'the parameter "a": expected one line without control characters',
      { parameters: { ip: '{name}', a: 'b\naction=on' } },
    ],
    [
      'the parameter "a": expected one line without control characters',
      { parameters: { ip: '{name}', a: 'b\u2028c' } },
    ],
    ['the parameter "a": expected no blanks at its ends', { parameters: { ip: '{name}', a: ' b' } }],
    ['the parameter "a": expected no quotes at its ends', { parameters: { ip: '{name}', a: '"b"' } }],
    [
      'the secret parameter "password": expected an absolute path of a file',
      { secretParameters: { password: 'pw' } },
    ],
    [
      'the secret parameter "password": a brace is never closed, or never opened',
      { secretParameters: { password: '/pw/{name' } },
    ],
    [
      'it would be the same machine whichever node died: expected a placeholder',
      { parameters: { ip: '10.0.0.7' } },
    ],
    [
      'expected hosts beside the parameter "ip", since a kubelet may set annotation.bmc itself',
      { parameters: { ip: '{annotation.bmc}' } },
    ],
    [
      'expected hosts beside the parameter "plug", since a kubelet may set label.bmc itself',
      { parameters: { plug: '{label.bmc}', port_as_ip: '1' } },
    ],
    [
      'expected the parameter "auth-url" not to be made from what a kubelet may set itself',
      { parameters: { plug: '{name}', 'auth-url': 'https://{label.site}.example.com' } },
    ],
    [
      'expected the parameter "proxyhost" not to be made from what a kubelet may set itself',
      { parameters: { plug: '{name}', proxyhost: '{annotation.proxy}' }, hosts: ['proxy.lan'] },
    ],
    [
      'expected the parameter "password" among secretParameters, as a file that holds it',
      { parameters: { ip: '{name}', password: 'hunter2' } },
    ],
    ['expected hosts to be hosts, found "*": ', { hosts: ['*'] }],
    ['expected the name of a variable, found "A=b"', { environment: ['A=b'] }],
    ['expected proof to be powered-off or isolated', { proof: 'rebooted' }],
    ['expected the CSI drivers that the proof covers, or all; found none', { proof: 'isolated' }],
    [
      'expected the CSI drivers that the proof covers, or all; found none',
      { proof: 'isolated', csiDrivers: [] },
    ],
    ['expected timeoutMs to be at least 1 milliseconds, found 0', { timeoutMs: 0 }],
    ['expected settleMs to be at least 0 milliseconds, found NaN', { settleMs: Number.NaN }],
  ])('is not made: %s', (message, more) => {
    expect(() => agentFencer(options(more))).toThrow(
      new RegExp(`^the fencer ipmi: ${message.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`),
    );
  });

  it('is made of what differs from node to node, or is for one node', () => {
    expect(agentFencer(options({}))).toMatchObject({ name: 'ipmi', acts: 'power', timeoutMs: 61_000 });
    expect(agentFencer(options({ parameters: { ip: '10.0.0.7' }, node: 'node-7' }))).toBeDefined();
  });
});
