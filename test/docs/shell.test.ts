// How a piece of shell is taken apart, so that no command in a document goes by unseen.
import { describe, expect, it } from 'vitest';
import { commandsOf } from './shell.ts';

const wordsOf = (text: string): readonly (readonly string[])[] => commandsOf(text).map(({ words }) => words);

describe('a piece of shell', () => {
  it.each([
    {
      text: 'npm ci && npm test',
      words: [
        ['npm', 'ci'],
        ['npm', 'test'],
      ],
    },
    { text: 'npm ci   # once', words: [['npm', 'ci']] },
    { text: 'a | b; c', words: [['a'], ['b'], ['c']] },
    { text: 'a \\\n  --flag', words: [['a', '--flag']] },
    { text: 'a "b c" \'d "e"\' f#g', words: [['a', 'b c', 'd "e"', 'f#g']] },
    { text: 'a "$B" \\$c ""', words: [['a', '$B', '$c', '']] },
    { text: 'KEY=1 a', words: [['a']] },
    {
      text: 'a --to="$(b c)"',
      words: [
        ['b', 'c'],
        ['a', '--to=…'],
      ],
    },
    { text: '# nothing\n\n', words: [] },
  ])('$text', ({ text, words }) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it('knows the line of each command', () => {
    expect(commandsOf('a\n\nb', 7).map(({ line }) => line)).toEqual([7, 9]);
  });

  it('is refused when a quote does not end', () => {
    expect(() => commandsOf('a "b')).toThrow(SyntaxError);
  });
});
