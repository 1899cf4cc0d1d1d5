// The public surface of each package, written out: `--write` writes docs/api, without it a difference is a failure.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
} from '@microsoft/api-extractor';

const workspace = fileURLToPath(new URL('../', import.meta.url));
const reports = join(workspace, 'docs/api');
const publicPackages = ['core', 'simulator'];

const write = process.argv.includes('--write');
const problems = publicPackages.flatMap((name) => reportOn(name));
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

/** Returns what is wrong, one sentence each. */
function reportOn(name: string): readonly string[] {
  const folder = join(workspace, 'packages', name);
  const entry = join(folder, 'dist/index.d.ts');
  if (!existsSync(entry))
    return [`expected the declarations ${entry}, found none: run "npm run build" first`];
  const scratch = mkdtempSync(join(tmpdir(), 'liberator-api-'));
  const found: string[] = [];
  try {
    const config = ExtractorConfig.prepare({
      configObject: {
        projectFolder: folder,
        mainEntryPointFilePath: entry,
        compiler: { overrideTsconfig: tsconfigFor(entry) },
        apiReport: {
          enabled: true,
          reportFileName: `${name}.api.md`,
          reportFolder: reports,
          reportTempFolder: scratch,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        newlineKind: 'lf',
      },
      configObjectFullPath: undefined,
      packageJsonFullPath: join(folder, 'package.json'),
    });
    const { apiReportChanged } = Extractor.invoke(config, {
      localBuild: write,
      messageCallback(message) {
        message.handled = true;
        const problem = problemIn(message);
        if (problem !== undefined) found.push(problem);
      },
    });
    if (apiReportChanged && !write) {
      found.push(
        `docs/api/${name}.api.md no longer says what @liberator/${name} exports: if the change is meant, run ` +
          '"npm run api", look at the difference and commit it; a change that breaks users needs a changeset that says so',
      );
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return found;
}

function tsconfigFor(entry: string): object {
  return {
    compilerOptions: {
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable'],
      module: 'nodenext',
      types: ['node'],
      strict: true,
      skipLibCheck: true,
    },
    files: [entry],
  };
}

function problemIn(message: ExtractorMessage): string | undefined {
  const { messageId, text, logLevel, sourceFilePath, sourceFileLine } = message;
  // Every export is public here: what is not is not exported.
  if (messageId === 'ae-missing-release-tag' || messageId.startsWith('console-')) {
    return logLevel === ExtractorLogLevel.Error ? text : undefined;
  }
  if (sourceFilePath === undefined || sourceFileLine === undefined) return `${messageId}: ${text}`;
  const place = placeOf(sourceFilePath, sourceFileLine);
  if (messageId === 'ae-undocumented' && speaksForItself(place)) return undefined;
  const inside = place.declaration === undefined ? '' : ` in ${place.declaration}`;
  return `${messageId}: ${text}${inside} (${basename(sourceFilePath)}:${sourceFileLine})`;
}

interface Place {
  /** The line itself. */
  readonly line: string;
  /** The name of the declaration around the line. */
  readonly declaration: string | undefined;
  /** That declaration's first line and the comment above it. */
  readonly head: string;
}

/** Declarations are printed one way only: whatever begins at the margin begins a declaration. */
function placeOf(path: string, lineNumber: number): Place {
  const lines = readFileSync(path, 'utf8').split('\n');
  const line = lines[lineNumber - 1] ?? '';
  const begins = (text: string): boolean => /^(declare|export|interface|type)\b/.test(text);
  // A comment at the margin is about what comes after it, everything else belongs to what began before it.
  const start = /^( \*|\/\*\*)/.test(line)
    ? lines.findIndex((text, index) => index >= lineNumber && begins(text))
    : lines.findLastIndex((text, index) => index < lineNumber && begins(text));
  const first = lines[start] ?? '';
  const comment = lines.findLastIndex((text, index) => index < start && text.startsWith('/**'));
  const hasComment = lines[start - 1] === ' */' || lines[start - 1]?.startsWith('/**') === true;
  return {
    line,
    declaration: /\b(?:interface|class|type|function|const|let)\s+(\w+)/.exec(first)?.[1],
    head: lines.slice(hasComment ? comment : start, start + 1).join('\n'),
  };
}

/** What a person would only repeat: fields that are Kubernetes' own, and how an error calls itself. */
function speaksForItself({ line, head }: Place): boolean {
  if (!line.startsWith(' ')) return false;
  if (head.includes("Fields as in Kubernetes' API.")) return true;
  return / extends \w*Error\b/.test(head) && /^\s+readonly (name|code)\b/.test(line);
}
