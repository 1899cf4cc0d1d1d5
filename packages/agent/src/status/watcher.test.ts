import { describe, expect, it } from 'vitest';
import { watcher } from './show-status.ts';
import { type StatusView, viewStatus } from './status-view.ts';

function stream(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, columns: 80, rows: 6, written, write: (text: string) => written.push(text) };
}

const view = (change: Partial<StatusView> = {}): StatusView => ({
  ...viewStatus(
    { namespace: 'liberator', lease: undefined, document: undefined, records: [] },
    '2026-01-01T00:00:00.000Z',
  ),
  ...change,
});

describe('watching the status', () => {
  it('draws over what was there on a terminal, and never more than fits', () => {
    const terminal = stream(true);
    const show = watcher(terminal, 'text');
    show(view());
    show(
      view({
        blind: ['a', 'b'],
        paused: 'x',
        readiness: Array.from({ length: 9 }, () => ({ name: 'n', ready: 'True' })),
      }),
    );
    expect(terminal.written).toHaveLength(2);
    for (const text of terminal.written) expect(text.startsWith('\u001B[H\u001B[2J')).toBe(true);
    expect(terminal.written[1]?.split('\n')).toHaveLength(6);
  });

  it('keeps the last picture on a terminal while the API server is away, and says so above it', () => {
    const terminal = stream(true);
    const show = watcher(terminal, 'text');
    show(view());
    show(new Error('connection refused'));
    expect(terminal.written[1]).toContain('connection refused; trying again\n\nLeader  nobody yet');
  });

  it('writes a block for each piece of news elsewhere', () => {
    const pipe = stream(false);
    const show = watcher(pipe, 'text');
    show(view());
    show(view({ at: '2026-01-01T00:00:02.000Z' }));
    show(view({ at: '2026-01-01T00:00:04.000Z', paused: 'x' }));
    show(new Error('connection refused'));
    show(new Error('connection refused'));
    expect(pipe.written.map((text) => text.trim().split('\n')[0])).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-01T00:00:04.000Z',
      'connection refused; trying again',
    ]);
    expect(pipe.written[1]?.startsWith('\n')).toBe(true);
  });

  it('writes a line of JSON for each piece of news, on a terminal too', () => {
    const terminal = stream(true);
    const show = watcher(terminal, 'json');
    show(view());
    show(view({ at: 'later' }));
    show(new Error('connection refused'));
    expect(terminal.written.map((text) => JSON.parse(text) as object)).toEqual([
      expect.objectContaining({ version: 1, knowledge: 'none' }),
      { version: 1, error: 'connection refused' },
    ]);
    expect(terminal.written.every((text) => text.split('\n').length === 2)).toBe(true);
  });
});
