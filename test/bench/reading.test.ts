// How figures are read out of what processes leave: the kernel's files, logs, and how the image starts the agent.
import { describe, expect, it } from 'vitest';
import type { LogEntry } from '../processes/agent-process.ts';
import { imageSettings } from './agent/agent.ts';
import { between, timelinesOf } from './cases/timeline.ts';
import { cpuMsIn, cpuMsOf, rssMiBIn, rssMiBOf } from './proc.ts';

describe('the figures of a process', () => {
  it('are read whatever its name is', () => {
    const stat = '7 (a) b (c) S 1 7 7 0 -1 4194560 99 0 0 0 123 45 0 0 20 0 11 0 1 1 1';
    expect(cpuMsIn(stat)).toBe(1_680);
    expect(rssMiBIn('55d0-7ffd ---p 0 00:00 0 [rollup]\nRss:              2048 kB\nPss:  1 kB\n')).toBe(2);
  });

  it('are refused out of anything else, rather than be zero', () => {
    expect(() => cpuMsIn('')).toThrow(TypeError);
    expect(() => rssMiBIn('Pss: 1 kB')).toThrow(TypeError);
  });

  it('grow with what this very process does', () => {
    const before = cpuMsOf(process.pid);
    const end = performance.now() + 200;
    while (performance.now() < end) Math.sqrt(end);
    expect(cpuMsOf(process.pid) - before).toBeGreaterThan(20);
    expect(rssMiBOf(process.pid)).toBeGreaterThan(10);
  });
});

describe('the timeline of a node', () => {
  const line = (second: number, event: string, fields: object): LogEntry => ({
    level: 'info',
    time: `2026-01-01T00:00:0${second}.000Z`,
    msg: '',
    event,
    ...fields,
  });

  it('has the first moment of each kind, whichever agent told it', () => {
    const close = { node: 'a', step: 'close', phase: 'done' };
    const [timeline] = timelinesOf([
      line(1, 'health', { node: 'a', to: 'suspect' }),
      line(2, 'health', { node: 'a', to: 'dead' }),
      line(3, 'decision', { node: 'a', action: 'hold' }),
      line(4, 'decision', { node: 'a', action: 'act' }),
      line(5, 'takeover', { node: 'a', step: 'release', phase: 'done' }),
      line(6, 'takeover', { ...close, result: 'recovered' }),
      line(7, 'takeover', { ...close, result: 'incomplete' }),
      line(8, 'health', { node: 'a', to: 'dead' }),
    ]);
    const at = (second: number): number => Date.parse(`2026-01-01T00:00:0${second}.000Z`);
    expect(timeline).toEqual({
      node: 'a',
      deadAt: at(2),
      decidedAt: at(4),
      closedAt: at(6),
      result: 'recovered',
    });
  });

  it('gives no time between two moments of which one never came', () => {
    expect(between(1, 3)).toEqual([2]);
    expect(between(undefined, 3)).toEqual([]);
    expect(between(1, undefined)).toEqual([]);
  });
});

describe('the agent that is measured', () => {
  it('gets the flags and the environment that the image gives it', () => {
    const dockerfile = [
      'FROM a AS b',
      'ENV IGNORED=1',
      'FROM c AS d',
      'ENV NODE_ENV=production NODE_OPTIONS="--max-semi-space-size=1"',
      'ENTRYPOINT ["node", "--optimize-for-size", "/opt/liberator/liberator.mjs"]',
      'FROM d AS e',
      'ENV IGNORED=2',
      'FROM d',
    ].join('\n');
    expect(imageSettings(dockerfile)).toEqual({
      flags: ['--optimize-for-size'],
      env: { NODE_ENV: 'production', NODE_OPTIONS: '--max-semi-space-size=1' },
    });
  });

  it('is started as the image of today starts it', () => {
    expect(imageSettings().env['NODE_ENV']).toBe('production');
  });
});
