// Which verb makes sense when, as a table.
import { describe, expect, it } from 'vitest';
import { ClusterError } from './cluster-error.ts';
import { canDo, checkVerb, type NodeCondition, type NodeVerb, nodeCondition } from './node-condition.ts';

describe('the condition of a node', () => {
  it.each([
    ['running', true, 'running'],
    ['running', false, 'cut'],
    ['stopped', true, 'paused'],
    ['stopped', false, 'cut and paused'],
    ['gone', true, 'kubelet stopped'],
    ['gone', false, 'crashed'],
  ] as const)('with its kubelet %s and its link up %s is %s', (kubelet, linkUp, expected) => {
    expect(nodeCondition(kubelet, linkUp)).toBe(expected);
  });

  it.each<[NodeCondition, NodeVerb[]]>([
    ['running', ['crash', 'stop-kubelet', 'pause', 'cut']],
    ['paused', ['crash', 'stop-kubelet', 'resume', 'cut']],
    ['cut', ['crash', 'pause', 'heal']],
    ['cut and paused', ['crash', 'resume', 'heal']],
    ['kubelet stopped', ['crash', 'start']],
    ['crashed', ['start']],
  ])('%s allows just %j', (condition, expected) => {
    const verbs: NodeVerb[] = ['crash', 'stop-kubelet', 'pause', 'resume', 'start', 'cut', 'heal'];
    expect(verbs.filter((verb) => canDo(verb, condition))).toEqual(expected);
  });

  it('explains a verb that makes no sense, with those that do', () => {
    expect(() => checkVerb('pause', 'node-2', 'crashed')).toThrow(ClusterError);
    expect(() => checkVerb('pause', 'node-2', 'crashed')).toThrow(
      'Cannot pause node-2: it is crashed. Possible now: start.',
    );
    expect(() => checkVerb('start', 'node-2', 'crashed')).not.toThrow();
  });
});
