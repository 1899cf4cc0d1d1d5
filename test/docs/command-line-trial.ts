// Tries command lines on the programs that would parse them, without doing anything of what they ask for.
import { type Command, CommanderError } from 'commander';
import { createProgram } from '../../packages/agent/src/command-line.ts';

/** Parses the real way, and does nothing of what was asked for. */
export function whyRefused(program: Command, args: readonly string[]): string | undefined {
  const said: string[] = [];
  silence(program, said);
  try {
    program.parse([...args], { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? undefined : said.join('').trim() || error.message;
  }
}

function silence(command: Command, said: string[]): void {
  command
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: (text) => void said.push(text) });
  if (command.commands.length === 0) command.action(() => undefined);
  for (const child of command.commands) silence(child, said);
}

/** Every option of `liberator`, whichever command it belongs to. */
export function liberatorFlags(): ReadonlySet<string> {
  const all = (command: Command): readonly string[] => [
    ...command.options.flatMap(({ long, short }) => [long ?? '', short ?? '']),
    ...command.commands.flatMap(all),
  ];
  return new Set([...all(createProgram()), '--help', '-h']);
}
