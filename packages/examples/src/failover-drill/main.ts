// `npm run example:failover-drill`: crashes the node under a StatefulSet, and writes a report as text, JSON and a picture.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDuration } from '@liberator/agent/src/text/duration.ts';
import { DemoFailure, sentenceOf, UsageError } from '../demo/failure.ts';
import { recoveryPicture } from '../demo/telling/picture.ts';
import { type Example, runExample, type Stage } from '../place/run-example.ts';
import { drill } from './drill.ts';
import { isPassed, textReport } from './text-report.ts';

const example: Example = {
  name: 'failover-drill',
  about: `Crashes the node under a StatefulSet, watches how it comes back, and writes a
report: report.txt, report.json and timeline.svg.`,
  flags: { out: { type: 'string', default: 'artifacts/failover-drill' }, within: { type: 'string' } },
  flagsHelp: `  --out FOLDER       where the report is written; artifacts/failover-drill
  --within DURATION  fail when the recovery takes longer, such as 60s
`,
  play,
};

async function play(stage: Stage): Promise<void> {
  const { flags, tell, print } = stage;
  const withinMs = limitIn(flags['within']);
  const folder = folderAt(String(flags['out']));
  const recovery = await drill(stage);
  const result = { recovery, withinMs };
  const text = textReport(result);
  writeFileSync(join(folder, 'report.txt'), text);
  const passed = isPassed(result);
  writeFileSync(
    join(folder, 'report.json'),
    `${JSON.stringify({ passed, withinMs, ...recovery }, null, 2)}\n`,
  );
  if (recovery.recovered) {
    writeFileSync(join(folder, 'timeline.svg'), recoveryPicture(recovery, 'A failover drill'));
  }
  print(`\n${text}`);
  tell('report', folder, 'quiet');
  if (!passed) throw new DemoFailure('the drill was not passed');
}

function limitIn(flag: string | boolean | undefined): number | undefined {
  if (typeof flag !== 'string') return undefined;
  try {
    return parseDuration(flag);
  } catch (error) {
    throw new UsageError(`--within: ${sentenceOf(error)}`, { cause: error });
  }
}

/** Better now than after the drill. */
function folderAt(path: string): string {
  try {
    mkdirSync(path, { recursive: true });
    return path;
  } catch (error) {
    throw new UsageError(`expected a folder to write to for --out, found: ${sentenceOf(error)}`, {
      cause: error,
    });
  }
}

process.exit(await runExample(example, process.argv.slice(2)));
