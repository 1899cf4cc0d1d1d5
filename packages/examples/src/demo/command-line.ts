// The command `npm run demo`: flags, streams, signals and exit codes around the story.
import { accessSync, constants, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { databasePod } from './database/database.ts';
import { replayWithoutLiberator } from './database/without-liberator.ts';
import { sentenceOf, UsageError } from './failure.ts';
import type { Entry } from './observing/observation.ts';
import { exitCode, withOutcome } from './outcome.ts';
import { playStory } from './story/story.ts';
import { lastSights } from './telling/last-sights.ts';
import { recoveryPicture } from './telling/picture.ts';
import type { Recovery } from './telling/report.ts';
import { formatLine, type Line, type Paint, paintFor, type Tone, wrap } from './telling/timeline.ts';
import { closingLines, sources, title, verdict } from './telling/wording.ts';

const help = `Usage: npm run demo [-- options]

Starts a Kubernetes cluster, a MySQL StatefulSet and three Liberator agents,
crashes the machine under mysql-0, and shows how the database comes back.
Takes a minute and a bit. Without options the cluster is embedded: nothing is
needed beside Node.js.

Options:
  --kubeconfig FILE  play on a real control plane instead: on the one that
                     "npm run cluster -- up 3" started, whose kubeconfig this
                     is. Whatever the demo creates there is removed again.
  --json             print one JSON object on stdout at the end, and nothing
                     else; the timeline goes to stderr. npm itself is quiet
                     when told so: npm run --silent demo -- --json
  --picture FILE     draw the recovery as an SVG picture, too
  -h, --help         print this

Exit codes: 0 recovered; 1 not recovered; 2 wrong usage; 130 interrupted`;

interface Flags {
  readonly kubeconfig: string | undefined;
  readonly json: boolean;
  readonly picture: string | undefined;
}

/** Returns the exit code; whatever went wrong has been said then. */
export function runCommandLine(args: readonly string[]): Promise<number> {
  return withOutcome({ name: 'demo', called: 'the demo' }, async (signal) => {
    const flags = readFlags(args);
    if (flags !== 'help') return run(flags, signal);
    console.log(help);
    return exitCode.done;
  });
}

/** @throws UsageError for anything but the flags that there are. */
export function readFlags(args: readonly string[]): Flags | 'help' {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        kubeconfig: { type: 'string' },
        json: { type: 'boolean', default: false },
        picture: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return 'help';
    return { kubeconfig: values.kubeconfig, json: values.json, picture: values.picture };
  } catch (error) {
    // Of node's advice only the first sentence is about what was typed.
    const [problem = ''] = sentenceOf(error).split('. ');
    throw new UsageError(`${problem.replace(/\.$/, '')}; "npm run demo -- --help" shows what there is`, {
      cause: error,
    });
  }
}

/** Better now than after a minute. */
function checkPicture(path: string): void {
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw new UsageError(`expected a folder to write to for --picture, found none at ${dirname(path)}`, {
      cause: error,
    });
  }
}

async function run({ kubeconfig, json, picture }: Flags, signal: AbortSignal): Promise<number> {
  if (picture !== undefined) checkPicture(picture);
  const stream = json ? process.stderr : process.stdout;
  const paint = paintFor(stream, process.env);
  const print = (text: string): void => void stream.write(`${text}\n`);
  let begun = false;
  const tell = (line: Line): void => {
    if (!begun) print(`\n  ${paint('strong', title)}\n`);
    begun = true;
    print(formatLine(line, paint));
  };
  const recovered = await playStory({
    kubeconfig,
    tell,
    signal,
    onEnd: async (recovery, entries) => {
      if (picture !== undefined && recovery.recovered) {
        writeFileSync(picture, recoveryPicture(recovery));
        tell({ who: 'picture', text: picture, tone: 'quiet' });
      }
      if (recovery.recovered) await printRecovery(recovery, { print, tell, paint });
      else printFailure(recovery, entries, { print, paint });
      if (json) process.stdout.write(`${JSON.stringify(recovery)}\n`);
    },
  });
  print('');
  return recovered ? exitCode.done : exitCode.failed;
}

interface Output {
  readonly print: (text: string) => void;
  readonly paint: Paint;
}

async function printRecovery(
  recovery: Recovery,
  { print, tell, paint }: Output & { tell: (line: Line) => void },
): Promise<void> {
  for (const line of closingLines(recovery)) tell(line);
  print(`  ${paint('good', verdict(recovery))}\n`);
  const replay = recovery.cluster === 'embedded' ? await replayWithoutLiberator() : undefined;
  for (const source of sources(replay)) printWrapped(source, 'quiet', { print, paint });
}

function printFailure(recovery: Recovery, entries: readonly Entry[], { print, paint }: Output): void {
  print(`\n  ${paint('bad', 'The database did not recover.')}`);
  printWrapped(`What happened: ${recovery.reason}.`, 'plain', { print, paint });
  for (const sight of lastSights(entries, databasePod)) printWrapped(`- ${sight}`, 'plain', { print, paint });
  print(`  The agents' logs are in ${recovery.logs}`);
}

function printWrapped(text: string, tone: Tone, { print, paint }: Output): void {
  for (const row of wrap(text, 76)) print(`  ${paint(tone, row)}`);
}
