// Takes what documents tell people to type apart into commands: just as much of a shell as documents use.

export interface ShellCommand {
  /** The program and what it is given, without quotes. */
  readonly words: readonly string[];
  /** Of its first character, counted from 1 within the text. */
  readonly line: number;
}

/**
 * The commands of a piece of shell, in order: those of a pipe or a list, and those within `$(...)`, one by one.
 *
 * @throws SyntaxError for a quote that does not end.
 */
export function commandsOf(text: string, firstLine = 1): readonly ShellCommand[] {
  const commands: ShellCommand[] = [];
  let words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  let line = firstLine;
  const endWord = (): void => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  const endCommand = (): void => {
    endWord();
    // Assignments before a command are its environment.
    const named = words.findIndex((one) => !/^[A-Z_]+=/.test(one));
    if (named !== -1) commands.push({ words: words.slice(named), line });
    words = [];
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (quote !== "'" && char === '\\') {
      const next = text[++at] ?? '';
      if (next === '\n') line++;
      else word = (word ?? '') + next;
    } else if (quote !== "'" && char === '$' && text[at + 1] === '(') {
      const end = text.indexOf(')', at);
      if (end === -1) throw new SyntaxError(`expected an end of "$(" in ${text}`);
      commands.push(...commandsOf(text.slice(at + 2, end), line));
      word = `${word ?? ''}…`;
      at = end;
    } else if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (char === '#' && word === undefined) {
      while (at + 1 < text.length && text[at + 1] !== '\n') at++;
    } else if (/[\n;|&]/.test(char)) {
      endCommand();
      if (char === '\n') line++;
    } else if (char === ' ') {
      endWord();
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== undefined) throw new SyntaxError(`expected an end of the quote ${quote} in ${text}`);
  endCommand();
  return commands;
}
