import { describe, expect, it } from 'vitest';
import { observationIn } from './agent-lines.ts';

const read = (line: object): unknown => observationIn(JSON.stringify(line), 'agent-1');

describe('reading what an agent logs', () => {
  it('takes over leadership, sight, health and decisions to hold', () => {
    expect(read({ event: 'leadership', leading: true, epoch: 2 })).toEqual({
      kind: 'leads',
      agent: 'agent-1',
      epoch: 2,
    });
    expect(read({ event: 'sight', blind: [] })).toEqual({ kind: 'sight', agent: 'agent-1', blind: [] });
    expect(read({ event: 'health', node: 'n', to: 'dead', reasons: ['why'] })).toEqual({
      kind: 'health',
      agent: 'agent-1',
      node: 'n',
      to: 'dead',
      reasons: ['why'],
    });
    expect(read({ event: 'decision', node: 'n', action: 'hold', reasons: ['no'] })).toEqual({
      kind: 'held',
      agent: 'agent-1',
      node: 'n',
      reasons: ['no'],
    });
  });

  it('takes over errors, whatever they are about', () => {
    expect(read({ event: 'error', level: 'error', msg: 'election: no answer' })).toEqual({
      kind: 'trouble',
      agent: 'agent-1',
      message: 'election: no answer',
    });
  });

  it('passes over what others do, decisions to act, and what is no log line', () => {
    expect(read({ event: 'leadership', leading: false, leader: 'agent-2' })).toBeUndefined();
    expect(read({ event: 'decision', node: 'n', action: 'act' })).toBeUndefined();
    expect(read({ event: 'takeover', step: 'claim', level: 'info' })).toBeUndefined();
    for (const line of ['', 'Warning: something', 'null', '3', '[]']) {
      expect(observationIn(line, 'agent-1')).toBeUndefined();
    }
  });
});
