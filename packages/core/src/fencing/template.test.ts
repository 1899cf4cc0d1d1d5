// What may be filled in where, and that what a kubelet says of itself reaches no further.
import { describe, expect, it } from 'vitest';
import { fillIn, isTemplate, TemplateError, type TemplatePlace, templateFault } from './template.ts';

const target = {
  name: 'node-1',
  uid: 'u-1',
  noted: {
    machine: { systemUuid: 'ABCD', machineId: 'm1', providerId: 'aws:///eu-1a/i-1' },
    addresses: [{ type: 'InternalIP', address: '10.0.0.7' }],
    labels: { 'topology.kubernetes.io/rack': 'r7', toString: 'kept' },
    annotations: {
      'example.com/bmc': 'bmc-7.example.com',
      evil: '../../etc',
      line: 'a\nb',
      dots: '..',
      port: 'x/y@z',
    },
  },
};

describe('a template', () => {
  it.each([
    ['https://{annotation.example.com/bmc}', 'host', 'https://bmc-7.example.com'],
    ['{name}-bmc.lan', 'host', 'node-1-bmc.lan'],
    ['/secrets/{label.topology.kubernetes.io/rack}/password', 'segment', '/secrets/r7/password'],
    ['{systemUUID} {machineID} {uid}', 'word', 'ABCD m1 u-1'],
    ['{providerID}', 'word', 'aws:///eu-1a/i-1'],
    ['{instanceID}', 'word', 'i-1'],
    ['{address.InternalIP}', 'host', '10.0.0.7'],
    ['{label.toString}', 'word', 'kept'],
    ['nothing', 'word', 'nothing'],
  ] as const)('%s as %s is %s', (template, place, filled) => {
    expect(fillIn(template, target, place)).toBe(filled);
  });

  it.each<[string, TemplatePlace, string]>([
    ['{label.none}', 'word', 'node-1 has no label.none'],
    ['{annotation.toString}', 'word', 'node-1 has no annotation.toString'],
    ['{address.Hostname}', 'host', 'node-1 has no address.Hostname'],
    ['/secrets/{annotation.evil}', 'segment', 'annotation.evil of node-1 is not one part of a path'],
    ['/secrets/{annotation.dots}', 'segment', 'annotation.dots of node-1 is not one part of a path'],
    [
      '{annotation.line}',
      'word',
      'annotation.line of node-1 is not one line without quotes, backslashes and outer blanks',
    ],
    ['https://{annotation.port}', 'host', 'annotation.port of node-1 is not a host name or an address'],
    ['{toString}', 'word', '{toString} is nothing that is known of a node'],
    ['{name', 'word', 'a brace is never closed, or never opened'],
    ['{label.}', 'word', '{label.} is nothing that is known of a node'],
  ])('%s as %s is refused', (template, place, message) => {
    expect(() => fillIn(template, target, place)).toThrow(TemplateError);
    expect(() => fillIn(template, target, place)).toThrow(message);
  });

  it('says what is wrong with it before any machine is known', () => {
    expect(templateFault('{nmae}')).toMatch('{nmae} is nothing that is known of a node: there are {name}');
    expect(templateFault('a}b')).toBe('a brace is never closed, or never opened');
    expect(templateFault('{name}{label.x}')).toBeUndefined();
  });

  it('knows whether it differs from machine to machine', () => {
    expect([isTemplate('{name}'), isTemplate('name'), isTemplate('{name}')]).toEqual([true, false, true]);
  });
});
