import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';
import { prettyLine } from './pretty-line.ts';

function linesOf(format: 'json' | 'pretty', level: 'info' | 'debug' = 'info') {
  const lines: string[] = [];
  const logger = createLogger({ level, format }, 'agent-1', { write: (line) => lines.push(line) });
  return { logger, lines };
}

describe('a log line', () => {
  it('is one JSON object with level, time, identity, event, fields and sentence', () => {
    const { logger, lines } = linesOf('json');
    logger.log('warn', { event: 'health', node: 'node-1', to: 'dead' }, 'node-1 is dead');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/\n$/);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      identity: 'agent-1',
      event: 'health',
      node: 'node-1',
      to: 'dead',
      msg: 'node-1 is dead',
    });
  });

  it('says that nothing is done, where that is so', () => {
    const lines: string[] = [];
    const config = { level: 'info', format: 'json', mode: 'observe' } as const;
    createLogger(config, 'agent-1', { write: (line) => lines.push(line) }).log(
      'info',
      { event: 'ready' },
      'ready',
    );
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ mode: 'observe' });
  });

  it('below the configured level is not written', () => {
    const { logger, lines } = linesOf('json');
    logger.log('debug', { event: 'error' }, 'details');
    expect(lines).toEqual([]);
    expect(logger.isDebug()).toBe(false);
    expect(linesOf('json', 'debug').logger.isDebug()).toBe(true);
  });

  it('in the format for people has time, level, sentence and who says it', () => {
    const { logger, lines } = linesOf('pretty');
    logger.log('info', { event: 'leadership', epoch: 7 }, 'leading in epoch 7');
    expect(stripVTControlCharacters(lines.join(''))).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} info {2}leading in epoch 7 \(agent-1, epoch 7\)\n$/,
    );
  });
});

describe('a line for people', () => {
  const line = (more: object): string =>
    JSON.stringify({ level: 'error', time: '2026-01-02T03:04:05.678Z', identity: 'a', msg: 'm', ...more });

  it('is styled as asked, the level by its weight', () => {
    const styled = prettyLine(line({}), (style, text) => `<${String(style)}>${text}</>`);
    expect(styled).toBe('<dim>03:04:05.678</> <red>error</> m <dim>(a)</>');
  });

  it('carries nothing that could move the cursor of a terminal', () => {
    const styled = prettyLine(line({ msg: 'node \u001b[2J\r\n\u009bgone' }), (_, text) => text);
    expect(styled).toBe('03:04:05.678 error node  [2J gone (a)');
  });

  it('shows a stack below, when there is one', () => {
    expect(prettyLine(line({ stack: 'Error: m\n    at x' }), (_, text) => text)).toBe(
      '03:04:05.678 error m (a)\nError: m\n    at x',
    );
  });
});
