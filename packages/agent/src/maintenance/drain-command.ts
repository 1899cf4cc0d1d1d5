// `liberator drain`: what it is called and what it takes.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { addClusterOptions } from '../cluster/flags.ts';
import { durationArgument } from '../text/duration-argument.ts';
import type { DrainFlags } from './drain-node.ts';

const longestHoldMs = 24 * 3_600_000;

const details = `
Pods are evicted, so PodDisruptionBudgets are respected: one that refuses is
named and asked again until --timeout. StatefulSet pods go one at a time, each
Ready elsewhere with its volume before the next. Pods of DaemonSets and static
pods stay. While it goes on, Liberator does not take the node over. Ctrl-C
leaves the node cordoned, and that hold in place for 5 minutes; the same command
goes on.

Exit code 1 also means: not drained in time, or something would be lost.`;

export function addDrainCommand(program: Command): void {
  const command = program
    .command('drain')
    .description('move the pods of a node elsewhere, in good order')
    .argument('<node>', 'the name of the node');
  addClusterOptions(command)
    .option('--dry-run', 'only list what would happen to each pod')
    .option('--force', 'evict pods that nobody makes anew, or that can run nowhere else')
    .option('--delete-emptydir-data', 'evict pods whose emptyDir data is lost then')
    .addOption(
      new Option('--timeout <duration>', 'how long all of it may take')
        .argParser(durationArgument)
        .default(600_000, '10m'),
    )
    .addOption(
      new Option(
        '--grace-period <duration>',
        'how long each pod gets to end (default: what it asks for)',
      ).argParser(durationArgument),
    )
    .addOption(
      new Option('--hold <duration>', 'how long takeovers of it stay held once it is drained, up to 24h')
        .argParser(holdArgument)
        .default(3_600_000, '1h'),
    )
    .addHelpText('after', details)
    .action(async (node: string, flags: DrainFlags) => {
      const { drainNode } = await import('./drain-node.ts');
      await drainNode(node, flags);
    });
}

function holdArgument(text: string): number {
  const holdMs = durationArgument(text);
  if (holdMs <= longestHoldMs) return holdMs;
  throw new InvalidArgumentError(
    `expected at most 24h, found "${text}": pause the node where it takes longer, with the annotation liberator.dev/paused`,
  );
}
