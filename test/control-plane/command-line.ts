// Reads the command line and prints: one verb each for what can be done to a cluster and to its nodes.
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { ControlPlane } from './cluster.ts';
import { clusterDirectory } from './cluster-directory.ts';
import { ClusterError } from './cluster-error.ts';
import { withLock } from './lock.ts';
import type { NodeVerb } from './node-condition.ts';
import { formatProgress, formatStatus } from './output.ts';
import { inspectCluster, removeCluster } from './tear-down.ts';
import { type ClusterTimings, parseDuration, TIMING_OPTIONS } from './timings.ts';

/** What the verbs do to a node, and what can be seen then. */
const NODE_VERBS: readonly { verb: NodeVerb; does: string; done: string }[] = [
  { verb: 'crash', does: 'the machine is gone: silent from now on', done: 'is gone; its host is silent' },
  {
    verb: 'stop-kubelet',
    does: 'only the kubelet is gone',
    done: 'has no kubelet; its host refuses connections',
  },
  { verb: 'pause', does: 'the kubelet hangs', done: 'hangs; its host takes connections and stays mute' },
  { verb: 'resume', does: 'ends pause', done: 'goes on' },
  {
    verb: 'start',
    does: 'powers on after crash or stop-kubelet',
    done: 'was powered on; Ready in some seconds',
  },
  { verb: 'cut', does: 'pulls the network cable, the node lives on', done: 'is cut off and lives on' },
  { verb: 'heal', does: 'plugs the cable in again', done: 'is reachable again' },
];

interface Place {
  dir?: string;
  name: string;
}

interface UpOptions extends Place {
  zones?: string[];
}

const DEFAULT_NAME = 'default';
const DEFAULT_NODES = 3;

/** Returns the exit code: 0, 1 after an error that was printed as a sentence, 130 after Ctrl-C. */
export async function runCommandLine(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort();
  };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  // Whoever reads what is printed may stop reading, as head does; that is no reason to stop half-way.
  const ignoreEndOfReader = (): void => {};
  process.stdout.on('error', ignoreEndOfReader);
  try {
    await buildProgram(env, interruption.signal).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode;
    }
    if (interruption.signal.aborted) {
      console.error('Interrupted; nothing was left behind.');
      return 130;
    }
    const message = error instanceof Error ? error.message : String(error);
    console.error(error instanceof ClusterError ? message : `Unexpected: ${message}`);
    return 1;
  } finally {
    process.removeListener('SIGINT', interrupt);
    process.removeListener('SIGTERM', interrupt);
    process.stdout.removeListener('error', ignoreEndOfReader);
  }
}

export function buildProgram(env: NodeJS.ProcessEnv, signal: AbortSignal): Command {
  const program = new Command('cluster')
    .usage('VERB [options]')
    .description('A real Kubernetes control plane with hollow kubelets, to try things on.')
    .exitOverride()
    .configureOutput({ getOutHelpWidth: () => 80, getErrHelpWidth: () => 80 });

  const command = (nameAndArguments: string, description: string): Command =>
    program
      .command(nameAndArguments)
      .description(description)
      .option('--name <name>', 'which cluster, when there are several', DEFAULT_NAME)
      .option('--dir <directory>', 'where it lives (or LIBERATOR_CLUSTER_DIR)');

  const up = command('up [nodes]', 'start a cluster').action(
    async (nodes: string | undefined, options: UpOptions) => {
      await runUp(directoryOf(options, env), parseCount(nodes ?? `${DEFAULT_NODES}`), options, signal);
    },
  );
  up.option('--zones <names>', 'zones of the nodes, in turn: a,b,c', (text) => text.split(','));
  for (const { option, description } of TIMING_OPTIONS) {
    up.option(`--${option} <time>`, description, readDuration);
  }

  command('down', 'stop a cluster and remove all it has left')
    .option('--keep-logs', 'leave the logs and the audit log in the directory')
    .action(async (options: Place & { keepLogs?: true }) => {
      await runDown(directoryOf(options, env), options.keepLogs === true);
    });

  command('status', 'show components and nodes')
    .option('--json', 'as JSON')
    .action(async (options: Place & { json?: true }) => {
      const status = await findCluster(directoryOf(options, env)).status();
      console.log(options.json === true ? JSON.stringify(status, null, 2) : formatStatus(status));
    });

  for (const { verb, does, done } of NODE_VERBS) {
    command(`${verb} <node>`, does).action(async (node: string, options: Place) => {
      const dir = directoryOf(options, env);
      await withLock(`cluster:${dir}`, async () => {
        await actOn(findCluster(dir), verb, node);
      });
      console.log(`${node} ${done}.`);
    });
  }
  return program;
}

async function runUp(dir: string, nodes: number, options: UpOptions, signal: AbortSignal): Promise<void> {
  const running = ControlPlane.find(dir);
  if (running !== undefined) {
    if (running.nodes.length !== nodes) {
      throw new ClusterError(
        'wrong-state',
        `A cluster with ${running.nodes.length} nodes is up already, not with ${nodes}: take it down first.`,
      );
    }
    console.log('The cluster is up already.');
    printNextSteps(running, options);
    return;
  }
  const cluster = await ControlPlane.start({
    dir,
    name: options.name,
    nodes,
    ...(options.zones === undefined ? {} : { zones: options.zones }),
    timings: timingsOf(options),
    keepRunning: true,
    signal,
    onProgress: (progress) => {
      console.log(formatProgress(progress));
    },
  });
  console.log(`\nKubernetes ${cluster.version} is up at ${cluster.url}.`);
  printNextSteps(cluster, options);
}

function printNextSteps(cluster: ControlPlane, { dir, name }: Place): void {
  const place = dir === undefined ? (name === DEFAULT_NAME ? '' : ` --name ${name}`) : ` --dir ${dir}`;
  const node = cluster.nodes[0]?.name;
  const steps = [
    ['Use it:', `export KUBECONFIG=${cluster.kubeconfigPath}`],
    ['Look:', `npm run cluster -- status${place}`],
    ...(node === undefined ? [] : [['Break it:', `npm run cluster -- crash ${node}${place}`]]),
    ...(node === undefined ? [] : [['Mend it:', `npm run cluster -- start ${node}${place}`]]),
    ['Stop it:', `npm run cluster -- down${place}`],
  ];
  console.log(`\n${steps.map(([label = '', command = '']) => label.padEnd(11) + command).join('\n')}`);
}

async function runDown(dir: string, keepLogs: boolean): Promise<void> {
  await withLock(`cluster:${dir}`, async () => {
    const found = inspectCluster(dir);
    // Also where nothing is found: a bridge may be left of a cluster whose directory was deleted.
    removeCluster(dir, { keepLogs });
    console.log(found === 'nothing' ? 'No cluster was up.' : 'The cluster is down.');
  });
}

async function actOn(cluster: ControlPlane, verb: NodeVerb, node: string): Promise<void> {
  switch (verb) {
    case 'stop-kubelet':
      cluster.stopKubelet(node);
      return;
    case 'start':
      await cluster.start(node);
      return;
    default:
      cluster[verb](node);
  }
}

function findCluster(dir: string): ControlPlane {
  const cluster = ControlPlane.find(dir);
  if (cluster === undefined) {
    throw new ClusterError(
      'wrong-state',
      `No cluster is up in ${dir}: start one with npm run cluster -- up 3`,
    );
  }
  return cluster;
}

function directoryOf({ dir, name }: Place, env: NodeJS.ProcessEnv): string {
  return clusterDirectory({ dir: dir ?? (env['LIBERATOR_CLUSTER_DIR'] || undefined), name });
}

function timingsOf(options: UpOptions): ClusterTimings {
  const given = options as unknown as Record<string, number | undefined>;
  return Object.fromEntries(
    TIMING_OPTIONS.flatMap(({ key, option }) => {
      const value = given[option.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function parseCount(text: string): number {
  if (!/^\d{1,4}$/.test(text)) {
    throw new ClusterError('wrong-argument', `Expected a number of nodes, such as 3, found "${text}".`);
  }
  return Number(text);
}

function readDuration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : '');
  }
}
