// What is known of the programs that documents tell people to run, and what is wrong with a command, if anything.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { createProgram } from '../../packages/agent/src/command-line.ts';
import { readFlags } from '../../packages/examples/src/demo/command-line.ts';
import { readPlan } from '../bench/command-line.ts';
import { readStandInOptions } from '../bench/stand-in/command-line.ts';
import { buildProgram } from '../control-plane/command-line.ts';
import { root } from '../documents/documents.ts';
import { isChartValue } from './chart-values.ts';
import { whyRefused } from './command-line-trial.ts';

type Check = (args: readonly string[]) => string | undefined;

const programs: Readonly<Record<string, Check>> = {
  liberator: (args) => whyRefused(createProgram(), args),
  node: checkNode,
  npm: checkNpm,
  npx: checkNpx,
  kubectl: checkKubectl,
  helm: checkHelm,
  docker: checkDocker,
  alias: () => undefined,
  curl: () => undefined,
  export: () => undefined,
  openssl: () => undefined,
  '.ci/run': () => missing('.ci/run'),
};

/** Undefined when the command could be run as it stands. */
export function whatIsWrong([program = '', ...args]: readonly string[]): string | undefined {
  const check = programs[program];
  if (check === undefined) return `expected one of ${Object.keys(programs).join(', ')}, found ${program}`;
  return check(args);
}

/** The same for the mere name of a command, as sentences call it: `helm upgrade`, `liberator drain`. */
export function whatIsWrongWithName([program = '', verb = '']: readonly string[]): string | undefined {
  if (program !== 'liberator') return programs[program] === undefined ? whatIsWrong([program]) : undefined;
  const verbs = createProgram().commands.map((command) => command.name());
  return verbs.includes(verb) ? undefined : `expected one of ${verbs.join(', ')}, found ${verb}`;
}

const npmVerbs = new Set(['ci', 'install', 'uninstall']);

function checkNpm(args: readonly string[]): string | undefined {
  const [verb = '', ...rest] = args.filter((arg) => arg !== '--silent');
  if (npmVerbs.has(verb)) return rest.map(missingWorkspace).find((problem) => problem !== undefined);
  const isRun = verb === 'run';
  const name = isRun ? (rest[0] ?? '') : verb;
  if (!isRun && name !== 'test')
    return `expected npm run, test, ${[...npmVerbs].join(' or ')}, found npm ${verb}`;
  const { scripts } = readJson('package.json') as { scripts: Record<string, string> };
  if (scripts[name] === undefined) return `expected a script of package.json, found "${name}"`;
  const separator = rest.indexOf('--');
  const given = separator === -1 ? [] : rest.slice(separator + 1);
  if (name === 'cluster' && given.length > 0) {
    return whyRefused(buildProgram({}, new AbortController().signal), given);
  }
  if (name === 'demo') return whyThrown(() => readFlags(given));
  if (name === 'bench') return whyThrown(() => readPlan(given));
  return undefined;
}

/** A program of this repository, run from source. */
function checkNode(args: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => arg.endsWith('.ts'));
  const program = args[at];
  if (program === undefined) return 'expected a program of this repository, found none';
  const problem = missing(program);
  if (problem !== undefined || program !== 'test/bench/stand-in/main.ts') return problem;
  return whyThrown(() => readStandInOptions(args.slice(at + 1)));
}

function whyThrown(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function checkNpx([program = '']: readonly string[]): string | undefined {
  // npm links a package's program only if it is there when the package is installed, which is before it is built. What
  // npx would run instead is whatever the registry has under that name.
  if (program === 'liberator') return 'npx does not find what was built after the installation';
  return missing(`node_modules/.bin/${program}`);
}

function missingWorkspace(name: string): string | undefined {
  if (name.startsWith('-')) return undefined;
  return name.startsWith('@liberator/')
    ? missing(`packages/${name.slice('@liberator/'.length)}/package.json`)
    : `expected a package of this project, found ${name}`;
}

const kubectlVerbs = new Set([
  'annotate',
  'apply',
  'auth',
  'cordon',
  'create',
  'delete',
  'describe',
  'drain',
  'exec',
  'get',
  'label',
  'logs',
  'port-forward',
  'rollout',
  'set',
  'scale',
  'taint',
  'uncordon',
  'wait',
]);

function checkKubectl(args: readonly string[]): string | undefined {
  const namespace = valuesOf(args, '-n', '--namespace');
  const verb = args.find((arg) => !arg.startsWith('-') && !namespace.includes(arg));
  if (!kubectlVerbs.has(verb ?? '')) return `expected a verb of kubectl, found "${verb}"`;
  return valuesOf(args, '-f', '--filename', '-k', '--kustomize')
    .filter((file) => file.startsWith('packages/'))
    .map(missing)
    .concat(namespace.includes('tkr-system') ? args.map(missingObject) : [])
    .find((problem) => problem !== undefined);
}

const kinds: Readonly<Record<string, string>> = {
  deploy: 'Deployment',
  deployment: 'Deployment',
  service: 'Service',
  svc: 'Service',
};

interface Installed {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** `deployment/liberator` in our namespace must be one that we install. */
function missingObject(arg: string): string | undefined {
  const [, shortKind = '', name] = /^([a-z]+)\/([a-z-]+)$/.exec(arg) ?? [];
  const kind = kinds[shortKind];
  if (kind === undefined) return undefined;
  const manifest = readFileSync(join(root, 'packages/agent/deploy/install.yaml'), 'utf8');
  const installed = parseAllDocuments(manifest).map((document) => document.toJS() as Installed);
  const isThere = installed.some((one) => one.kind === kind && one.metadata.name === name);
  return isThere ? undefined : `expected an object that install.yaml creates, found ${arg}`;
}

/** Verbs of Helm that take the name of a release, and those that take a chart, too. */
const releaseVerbs = new Set(['history', 'list', 'rollback', 'uninstall']);
const chartVerbs = new Set(['install', 'upgrade']);

function checkHelm(args: readonly string[]): string | undefined {
  const [verb = ''] = args;
  if (releaseVerbs.has(verb)) return undefined;
  if (!chartVerbs.has(verb)) return `expected a verb of helm, found "${verb}"`;
  const chart = args.find((arg) => arg.startsWith('packages/'));
  if (chart === undefined) return 'expected the path of the chart, found none';
  const set = valuesOf(args, '--set').map((assignment) => assignment.split('=')[0] ?? '');
  const unknown = set.find((path) => !isChartValue(path));
  const problem = unknown === undefined ? undefined : `expected a value of the chart, found "${unknown}"`;
  return missing(join(chart, 'Chart.yaml')) ?? problem;
}

function checkDocker(args: readonly string[]): string | undefined {
  const [verb = ''] = args;
  // What is run in somebody else's image is that image's business.
  if (verb === 'push' || verb === 'run') return undefined;
  if (verb !== 'build') return `expected docker build, push or run, found docker ${verb}`;
  return missing(valuesOf(args, '-f', '--file')[0] ?? 'Dockerfile');
}

/** What follows any of these flags. */
function valuesOf(args: readonly string[], ...flags: readonly string[]): readonly string[] {
  return args.filter((_, at) => flags.includes(args[at - 1] ?? ''));
}

function missing(path: string): string | undefined {
  return existsSync(join(root, path)) ? undefined : `there is no ${path}`;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}
