import type { Node } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { takeoverRecord } from '../testing/puppet-controller.ts';
import { type SwitchFacts, whyNotToSwitch } from './why-not.ts';

function node(
  name: string,
  more: { ready?: string; uuid?: string; labels?: Record<string, string>; cordoned?: true } = {},
): Node {
  const { ready = 'True', uuid = '', labels = {}, cordoned } = more;
  return {
    metadata: { name, uid: `uid-${name}`, resourceVersion: '1', labels },
    spec: { ...(cordoned && { unschedulable: true }) },
    status: {
      conditions: [{ type: 'Ready', status: ready as 'True' }],
      nodeInfo: { bootID: 'b', systemUUID: uuid },
    },
  };
}

const power: SwitchFacts['fencer'] = {
  name: 'bmc',
  acts: 'power',
  unfence: async () => ({ outcome: 'unfenced', detail: '' }),
};
const controlPlane = { 'node-role.kubernetes.io/control-plane': '' };
const board = '4c4c4544-0042-3510-8052-b4c04f4e0001';

function why(change: Partial<SwitchFacts>): string | undefined {
  const one = change.node ?? node('node-1');
  const facts = {
    act: 'off',
    node: one,
    nodes: [one, node('node-2')],
    records: [],
    fencer: power,
    here: undefined,
  } as const;
  return whyNotToSwitch({ ...facts, ...change });
}

describe('a machine is not switched by hand', () => {
  it('unless something speaks against it', () => {
    expect(why({})).toBeUndefined();
    expect(why({ act: 'on' })).toBeUndefined();
  });

  it.each<[string, Partial<SwitchFacts>, RegExp]>([
    [
      'by a fencer that switches no power',
      { fencer: { name: 'fc', acts: 'storage' } },
      /fencer fc switches no power/,
    ],
    ['by one of which nobody knows what it switches', { fencer: { name: 'hook' } }, /switches no power/],
    [
      'on by one that can not',
      { act: 'on', fencer: { name: 'bmc', acts: 'power' } },
      /can switch no machine on/,
    ],
    [
      'off while a takeover fences it',
      { records: [takeoverRecord()] },
      /is under way and fences it by itself/,
    ],
    [
      'on while a takeover relies on its being off',
      { act: 'on', records: [takeoverRecord()] },
      /may rely on its being off/,
    ],
    [
      'when another Node has the same board, in whichever byte order',
      {
        node: node('node-1', { uuid: board }),
        nodes: [
          node('node-1', { uuid: board }),
          node('node-2', { uuid: '44454c4c-4200-1035-8052-b4c04f4e0001' }),
        ],
      },
      /node-2 has the same system UUID/,
    ],
    ['off from itself', { here: 'node-1' }, /this runs on node-1 itself/],
    ['off when it is the only one', { nodes: [node('node-1')] }, /no other node is Ready/],
    [
      'off when no other is Ready',
      { nodes: [node('node-1'), node('node-2', { ready: 'Unknown' })] },
      /no other node is Ready/,
    ],
    [
      'off when all others are cordoned',
      { nodes: [node('node-1'), node('node-2', { cordoned: true })] },
      /takes pods/,
    ],
    [
      'off when it is the last of the control plane',
      { node: node('node-1', { labels: controlPlane }) },
      /only control-plane node/,
    ],
  ])('%s', (_, change, sentence) => {
    expect(why(change)).toMatch(sentence);
  });

  it('no more than before once its takeover is over, or when another node is being taken over', () => {
    expect(why({ records: [takeoverRecord({ result: 'recovered' })] })).toBeUndefined();
    expect(
      why({ records: [takeoverRecord({ node: { name: 'node-9', uid: 'u', bootId: 'b' } })] }),
    ).toBeUndefined();
  });
});
