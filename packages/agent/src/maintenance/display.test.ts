// What a drain looks like while it goes on: on a terminal, in a pipe, and as a plan.
import type { PlannedPod, PodPhase } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { DrainBoard } from './board.ts';
import { openDrainDisplay } from './drain-display.ts';
import { planTable } from './wording.ts';

function pod(name: string, more: Partial<PlannedPod> = {}): PlannedPod {
  return {
    namespace: 'default',
    name,
    uid: name,
    volumes: [],
    action: 'evict',
    reason: 'ReplicaSet web makes it anew',
    awaits: 'nothing',
    ...more,
  };
}

const news = (name: string, phase: PodPhase, detail: string) =>
  ({ type: 'pod', pod: pod(name), phase, detail }) as const;

describe('the board of a drain', () => {
  it('has a headline and a line for each pod that has to go', () => {
    const board = new DrainBoard('node-1');
    board.hear({ type: 'planned', pods: [pod('a'), pod('b'), pod('log', { action: 'skip' })] });
    board.hear(news('a', 'done', 'gone'));
    expect(board.lines(61_500, 80, 24)).toEqual([
      'Draining node-1: 1 of 2 pods moved, 1m1s',
      '  default/a  done       gone',
      '  default/b  waiting    ReplicaSet web makes it anew',
    ]);
  });

  it('fits into any terminal, and shows first what needs attention', () => {
    const board = new DrainBoard('node-1');
    const names = Array.from({ length: 60 }, (_, i) => `pod-with-a-name-that-goes-on-and-on-${i}`);
    board.hear({ type: 'planned', pods: names.map((name) => pod(name)) });
    board.hear(
      news(names[59] ?? '', 'refused', 'PodDisruptionBudget web needs 2 healthy pods and has 2 currently'),
    );
    board.hear({ type: 'trouble', error: new Error('connection refused'), retryInMs: 1_000 });
    for (const [columns, rows] of [
      [80, 24],
      [40, 10],
      [20, 3],
    ] as const) {
      const lines = board.lines(0, columns, rows);
      expect(lines.length).toBeLessThan(rows);
      expect(lines.filter((line) => line.length > columns)).toEqual([]);
    }
    const lines = board.lines(0, 80, 24);
    expect(lines[1]).toMatch(/^ {2}default\/pod-with-a-name.*… {2}refused {4}PodDisruption/);
    expect(lines.at(-2)).toBe('  and 40 more');
    expect(lines.at(-1)).toBe('  connection refused; trying again');
  });

  it('lets no message move the cursor', () => {
    const board = new DrainBoard('node-1');
    board.hear(news('a', 'replacing', 'waits\u001B[2J\nfor a node'));
    expect(board.lines(0, 80, 24)[1]).toBe('  default/a  replacing  waits [2J for a node');
  });
});

describe('the display of a drain', () => {
  function write(isTTY: boolean): { text: string; stream: Parameters<typeof openDrainDisplay>[1] } {
    const written = {
      text: '',
      stream: { isTTY, columns: 80, rows: 24, write: (text: string) => add(text) },
    };
    const add = (text: string): void => {
      written.text += text;
    };
    return written;
  }

  it('draws over itself on a terminal, and leaves the last picture standing', () => {
    const written = write(true);
    const display = openDrainDisplay('node-1', written.stream);
    display.hear({ type: 'planned', pods: [pod('a')] });
    display.hear(news('a', 'done', 'gone'));
    display[Symbol.dispose]();
    display[Symbol.dispose]();
    const pictures = written.text.split('\u001B[2F\u001B[0J');
    expect(pictures).toHaveLength(3);
    expect(pictures.at(-1)).toBe('Draining node-1: 1 of 1 pods moved, 0s\n  default/a  done       gone\n');
  });

  it('says each thing once elsewhere', () => {
    const written = write(false);
    using display = openDrainDisplay('node-1', written.stream);
    display.hear({ type: 'planned', pods: [pod('a'), pod('log', { action: 'skip' })] });
    display.hear({ type: 'cordoned', holdMs: 300_000, wasCordoned: false });
    display.hear({ type: 'joined', by: 'bob@desk', since: '2030-01-01T00:00:00Z' });
    display.hear({ type: 'trouble', error: new Error('connection refused'), retryInMs: 1_000 });
    display.hear({ type: 'trouble', error: new Error('connection refused'), retryInMs: 1_000 });
    display.hear({ type: 'node', reporting: false });
    display.hear({ type: 'node', reporting: true });
    display.hear(news('a', 'done', 'gone'));
    expect(written.text.trimEnd().split('\n')).toEqual([
      'node-1: 1 of 2 pods have to go',
      'node-1: cordoned; takeovers of it are held',
      'node-1: bob@desk began to drain it at 2030-01-01T00:00:00Z and did not finish',
      'node-1: connection refused; trying again',
      'node-1: stopped reporting; its takeover is held until you interrupt this and run "liberator uncordon node-1"',
      'node-1: reports again',
      'default/a: done: gone',
    ]);
  });
});

describe('the table of a plan', () => {
  const plan = [
    pod('cache', { action: 'refuse', reason: 'its emptyDir data would be lost (--delete-emptydir-data)' }),
    pod('web-1'),
  ];

  it('is broken to fit a terminal', () => {
    expect(planTable(plan, 60)).toEqual([
      'POD            ACTION  WHY',
      'default/cache  refuse  its emptyDir data would be lost',
      '                       (--delete-emptydir-data)',
      'default/web-1  evict   ReplicaSet web makes it anew',
    ]);
  });

  it('has one line for each pod in a pipe', () => {
    expect(planTable(plan, undefined)).toHaveLength(3);
  });
});
