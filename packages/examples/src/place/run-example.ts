// Flags, streams, signals and exit codes around an example, so that each example is only about what it shows.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { sentenceOf, UsageError } from '../demo/failure.ts';
import { exitCode, withOutcome } from '../demo/outcome.ts';
import { formatLine, type Line, type Paint, paintFor } from '../demo/telling/timeline.ts';
import { openEmbeddedPlace } from './embedded-place.ts';
import type { Place } from './place.ts';
import { openRealPlace } from './real-place.ts';

/** What an example is given. */
export interface Stage {
  readonly place: Place;
  /** Prints one line, with the time since the example began. */
  readonly tell: (who: string, text: string, tone?: Line['tone']) => void;
  readonly print: (text: string) => void;
  readonly paint: Paint;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** What the example's own flags say. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
}

/** An example, as it is told on the command line. */
export interface Example {
  /** Completes `npm run example:...`. */
  readonly name: string;
  /** What it shows, wrapped by hand within 80 columns. */
  readonly about: string;
  /** Flags of its own, beside `--kubeconfig` and `--help`. */
  readonly flags?: ParseArgsOptionsConfig;
  /** Their lines in the help, indented like the others. */
  readonly flagsHelp?: string;
  readonly play: (stage: Stage) => Promise<void>;
}

/** Returns the exit code; whatever went wrong has been said then. */
export function runExample(example: Example, args: readonly string[]): Promise<number> {
  return withOutcome({ name: example.name, called: 'the example' }, async (signal) => {
    const flags = readFlags(example, args);
    if (flags['help'] === true) console.log(helpFor(example));
    else await playOn(example, flags, signal);
    return exitCode.done;
  });
}

function readFlags(example: Example, args: readonly string[]): Stage['flags'] {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...example.flags,
        kubeconfig: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values as Stage['flags'];
  } catch (error) {
    // Of node's advice only the first sentence is about what was typed.
    const [problem = ''] = sentenceOf(error).split('. ');
    const help = `"npm run example:${example.name} -- --help" shows what there is`;
    throw new UsageError(`${problem.replace(/\.$/, '')}; ${help}`, { cause: error });
  }
}

function helpFor({ name, about, flagsHelp = '' }: Example): string {
  return `Usage: npm run example:${name} [-- options]

${about}

Options:
${flagsHelp}  --kubeconfig FILE  play on a real control plane instead: on the one that
                     "npm run cluster -- up 3" started, whose kubeconfig this
                     is. Whatever the example creates there is removed again.
  -h, --help         print this

Exit codes: 0 done; 1 failed; 2 wrong usage; 130 interrupted`;
}

async function playOn(example: Example, flags: Stage['flags'], signal: AbortSignal): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'liberator-example-'));
  const stream = process.stdout;
  const paint = paintFor(stream, process.env);
  const print = (text: string): void => void stream.write(`${text}\n`);
  let startedAt: number | undefined;
  let now = (): number => 0;
  const tell: Stage['tell'] = (who, text, tone = 'plain') => {
    startedAt ??= now();
    print(formatLine({ atMs: now() - startedAt, who, text, tone }, paint));
  };
  try {
    const kubeconfig = flags['kubeconfig'];
    const onNotice = (text: string): void => tell('clean-up', text, 'quiet');
    await using place =
      typeof kubeconfig === 'string'
        ? await openRealPlace({ kubeconfig, directory, signal, onNotice })
        : await openEmbeddedPlace(signal);
    signal.throwIfAborted();
    now = () => place.clock.now();
    tell('cluster', place.about, 'quiet');
    await example.play({ place, tell, print, paint, signal, flags });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
