import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineError, LineSplitter } from './line-splitter.ts';

function split(chunks: readonly Uint8Array[]): { lines: string[]; rest: string } {
  const splitter = new LineSplitter();
  const lines = chunks.flatMap((chunk) => splitter.push(chunk));
  return { lines, rest: splitter.rest() };
}

/** Cuts `bytes` at the given places, wherever they fall. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const edges = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}

describe('LineSplitter', () => {
  test('the lines are the same however the bytes are cut into chunks', () => {
    const line = fc
      .string({ unit: fc.constantFrom(...'a{": \t\r\u0000\u2028ü漢🚀', '\uFEFF') })
      .filter((text) => text.trim() !== '');
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, places) => {
        const bytes = new TextEncoder().encode(lines.map((text) => `${text}\n`).join(''));
        expect(split(cut(bytes, places))).toEqual({ lines, rest: '' });
      }),
    );
  });

  test('keeps a character whole that was split between chunks', () => {
    const bytes = new TextEncoder().encode('"Zürich 🚀"\n');
    expect(split([...bytes].map((byte) => Uint8Array.of(byte))).lines).toEqual(['"Zürich 🚀"']);
  });

  test('leaves blank lines out', () => {
    expect(split([new TextEncoder().encode('\n\r\n  \na\n\n')])).toEqual({ lines: ['a'], rest: '' });
  });

  test('hands out what came after the last line end', () => {
    expect(split([new TextEncoder().encode('a\n{"type":')])).toEqual({ lines: ['a'], rest: '{"type":' });
  });

  test('puts a line of several megabytes together without going over it again for each chunk', () => {
    const chunk = new TextEncoder().encode('x'.repeat(1024));
    const splitter = new LineSplitter();
    const startedAt = performance.now();
    const lines: string[] = [];
    for (let i = 0; i < 16 * 1024; i++) lines.push(...splitter.push(chunk));
    lines.push(...splitter.push(new TextEncoder().encode('\n')));
    expect(lines.map((line) => line.length)).toEqual([16 * 1024 * 1024]);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  test('fails on a line without end rather than filling the memory', () => {
    const chunk = new Uint8Array(1024 * 1024).fill(0x78);
    const splitter = new LineSplitter();
    expect(() => {
      for (let megabytes = 0; megabytes < 100; megabytes++) splitter.push(chunk);
    }).toThrow(LineError);
  });

  test('fails on bytes that are not UTF-8 rather than replacing them', () => {
    expect(() => new LineSplitter().push(Uint8Array.of(0x22, 0xff, 0x22, 0x0a))).toThrow(LineError);
  });
});
