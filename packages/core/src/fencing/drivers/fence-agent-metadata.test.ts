// Which agents can be fencers, and whether it is clear which machine they would act on.
import { describe, expect, it } from 'vitest';
import { metadataWith } from '../../testing/fake-agent.ts';
import { faultOf, readMetadata, unknownParameter } from './fence-agent-metadata.ts';

const parameter = (name: string, option: string, more = ''): string =>
  `<parameter name="${name}" unique="0" required="0" ${more}><getopt mixed="${option}" /></parameter>`;

/** As fence_ipmilan has them: the address may be given as a plug. */
const withAddress = metadataWith([]).replace(
  '</parameters>',
  [
    parameter('ip', '-a, --ip=[ip]', 'obsoletes="ipaddr"'),
    parameter('ipaddr', '-a, --ip=[ip]', 'deprecated="1"'),
    parameter('ipport', '-u, --ipport=[port]'),
    parameter('plug', '-n, --plug=[ip]', 'obsoletes="port"'),
    parameter('port', '-n, --plug=[ip]', 'deprecated="1"'),
    parameter('port_as_ip', '--port-as-ip'),
    parameter('username', '-l, --username=[name]'),
    '</parameters>',
  ].join(''),
);
/** As fence_redfish has them: one address, many machines. */
const withPaths = withAddress.replace(
  '</parameters>',
  `${parameter('systems-uri', '--systems-uri=[uri]', 'deprecated="1"')}${parameter('systems_uri', '--systems-uri=[uri]', 'obsoletes="systems-uri"')}</parameters>`,
);

const fault = (
  xml: string,
  names: readonly string[],
  varying: readonly string[] | undefined = names,
): string | undefined => {
  const metadata = readMetadata(xml);
  if (metadata === undefined) throw new Error('no metadata');
  return faultOf(metadata, { names, varying }, ['off', 'status']);
};

describe('metadata', () => {
  it.each([
    ['', 'nothing'],
    ['usage: fence_x', 'words'],
    ['<resource-agent><parameters>', 'half of it'],
    ['<resource-agent><parameters></parameters></resource-agent>', 'no actions'],
    ['<other><parameters/><actions/></other>', 'another document'],
    ['<resource-agent><parameters/><actions/></resource-agent', 'a cut end'],
  ])('%s is none', (text) => {
    expect(readMetadata(text)).toBeUndefined();
  });

  it('is read with what stands around it and within it', () => {
    const text = `\n${metadataWith(['plug!']).replace('<actions>', '<longdesc>a &lt; b &amp; c</longdesc><actions>')}\n`;
    expect(readMetadata(text)?.parameters.map(({ name, required }) => [name, required])).toEqual([
      ['action', true],
      ['plug', true],
    ]);
  });
});

describe('the machine', () => {
  it.each<[string, string, readonly string[], string | undefined]>([
    [
      'is a plug that is required',
      metadataWith(['plug!']),
      [],
      'nothing names the machine: its parameter "plug" is not given',
    ],
    [
      'is a plug that is not',
      metadataWith(['plug']),
      [],
      'nothing names the machine: its parameter "plug" is not given',
    ],
    ['is a port, as older ones say', metadataWith(['port']), ['port'], undefined],
    ['is the address where each has one', withAddress, ['ip'], undefined],
    ['is the address under its older name', withAddress, ['ipaddr'], undefined],
    [
      'is lacking without an address',
      withAddress,
      ['username'],
      'nothing names the machine: its parameter "ip" is not given',
    ],
    ['is a plug that is an address', withAddress, ['plug', 'port_as_ip'], undefined],
    [
      'is not a plug that the agent passes over',
      withAddress,
      ['ip', 'plug'],
      'its parameter "plug" counts only together with "port_as_ip"',
    ],
    [
      'is lacking without its path',
      withPaths,
      ['ip'],
      'nothing names the machine: its parameter "systems_uri" is not given',
    ],
    ['is a path', withPaths, ['ip', 'systems_uri'], undefined],
    ['is a path in its other spelling', withPaths, ['ip', 'systems-uri'], undefined],
    ['is not asked for where an agent knows none', metadataWith(['username']), ['username'], undefined],
  ])('%s', (_, xml, names, expected) => {
    expect(fault(xml, names)).toBe(expected);
  });

  it('differs from node to node, whatever else does', () => {
    const message =
      'it would be the same machine whichever node died: none of plug, ip, ipport has a placeholder such as {name}';
    expect(fault(withAddress, ['ip', 'username'], ['username'])).toBe(message);
    expect(fault(withAddress, ['ip', 'ipport', 'username'], ['ipport'])).toBeUndefined();
    expect(fault(withAddress, ['ip', 'username'], undefined)).toBeUndefined();
  });
});

describe('a parameter', () => {
  it('that is the action under another name is refused', () => {
    const xml = metadataWith(['plug']).replace(
      '</parameters>',
      `${parameter('what', '-o, --action=[action]')}</parameters>`,
    );
    expect(fault(xml, ['plug', 'what'])).toBe(
      'its parameter "what" is the action, which is named by the fencer',
    );
  });

  it('that the agent does not know is found, in either spelling and under its option as well', () => {
    const metadata = readMetadata(withPaths);
    if (metadata === undefined) throw new Error('no metadata');
    expect(unknownParameter(metadata, ['ip', 'systems-uri', 'port-as-ip'])).toBeUndefined();
    expect(unknownParameter(metadata, ['ip', 'system_uri'])).toBe('system_uri');
  });
});
