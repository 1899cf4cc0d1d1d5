import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coloured, duration, formatLine, paintFor, plain, shortName, wrap } from './timeline.ts';

describe('a line of the timeline', () => {
  it('has the time, who, and the text in columns', () => {
    expect(formatLine({ atMs: 12_345, who: 'node-2', text: 'crashes' }, plain)).toBe(
      ' 12.3 s  node-2      crashes',
    );
  });

  it('leaves the columns empty for what continues the line above', () => {
    expect(formatLine({ who: '', text: 'and more' }, plain)).toBe(`${' '.repeat(21)}and more`);
  });

  it('wraps long text below itself', () => {
    const rows = formatLine({ atMs: 0, who: 'agent-1', text: 'word '.repeat(20).trim() }, plain).split('\n');
    expect(rows.length).toBeGreaterThan(1);
    for (const row of rows.slice(1)) expect(row).toMatch(/^ {21}word/);
  });

  it('is never wider than 80 columns, whatever the cluster says, and never moves the cursor', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ maxLength: 300 }), fc.nat({ max: 999_000 }), (who, text, atMs) => {
        const rows = formatLine({ atMs, who, text }, plain).split('\n');
        for (const row of rows) {
          expect(row.length).toBeLessThanOrEqual(80);
          expect(row).not.toMatch(/\p{Cc}/u);
        }
      }),
    );
  });

  it('looks the same without its colours', () => {
    const line = { atMs: 5_000, who: 'mysql-0', text: 'is Ready', tone: 'good' } as const;
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
    expect(formatLine(line, coloured)).toMatch(escapes);
    expect(formatLine(line, coloured).replaceAll(escapes, '')).toBe(formatLine(line, plain));
  });
});

describe('colours', () => {
  it('are for terminals whose owner did not ask for none', () => {
    expect(paintFor({ isTTY: true }, {})).toBe(coloured);
    expect(paintFor({ isTTY: true }, { NO_COLOR: '' })).toBe(coloured);
    expect(paintFor({ isTTY: true }, { NO_COLOR: '1' })).toBe(plain);
    expect(paintFor({}, {})).toBe(plain);
  });
});

describe('wrapping', () => {
  it('loses nothing but spaces at the breaks', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 60 }), (text, columns) => {
        const rows = wrap(text, columns);
        expect(rows.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
        for (const row of rows) expect(row.length).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

describe('short forms', () => {
  it('tell milliseconds below a second', () => {
    expect(duration(31)).toBe('31 ms');
    expect(duration(1_420)).toBe('1.42 s');
  });

  it('keep names that people gave, and the beginning of generated ones', () => {
    expect(shortName('liberator-demo-mysql')).toBe('liberator-demo-mysql');
    expect(shortName('pvc-5f3a9c2e-0000-4000-8000-000000000000')).toBe('pvc-5f3a9c2e..');
  });
});
