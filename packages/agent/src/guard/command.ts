// `liberator guard`: what it is called and what it takes. The guard itself is loaded only when it is asked for.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { addClusterOptions, namedKubeconfigHelp } from '../cluster/flags.ts';
import { listenAddressArgument, parseListenAddress } from '../elect/listen-address.ts';
import { formatDuration } from '../text/duration.ts';
import { durationArgument } from '../text/duration-argument.ts';
import type { GuardFlags } from './run-guard.ts';

const shortestGrantMs = 3_000;
const longestGrantMs = 3_600_000;

export function addGuardCommand(program: Command): void {
  const command = program
    .command('guard')
    .description('feed the watchdog of this machine for as long as the API server lets it live')
    .addOption(
      new Option('--node <name>', 'the Node that this machine is (default: $NODE_NAME)').argParser(nodeName),
    )
    .option('--device <file>', 'the watchdog', '/dev/watchdog0')
    .addOption(
      new Option(
        '--grant <duration>',
        'for how long a renewal lets the machine live; an outage of the API server that lasts longer resets it',
      )
        .argParser(grant)
        .default(30_000, '30s'),
    )
    .option('--allow-software-watchdog', 'take softdog, too, which a kernel that hangs may not run')
    .option('--sys <folder>', 'where sysfs is', '/sys')
    .option('--proc <folder>', 'where procfs is', '/proc')
    .addOption(
      new Option('--http <address:port>', 'where to answer')
        .argParser(listenAddressArgument)
        .default(parseListenAddress('127.0.0.1:9809'), '127.0.0.1:9809'),
    );
  addClusterOptions(command, namedKubeconfigHelp)
    .option('-n, --namespace <name>', "where guards keep their Leases (default: the pod's own)")
    .action(async (flags: GuardFlags) => {
      const { runGuard } = await import('./run-guard.ts');
      await runGuard(flags);
    });
}

/** It becomes part of the name of a Lease. */
function nodeName(text: string): string {
  if (text.length <= 237 && /^[a-z\d]([-a-z\d.]*[a-z\d])?$/.test(text)) return text;
  throw new InvalidArgumentError(
    `expected the name of a Node, up to 237 lower-case letters, digits, "-" and ".", found "${text}"`,
  );
}

function grant(text: string): number {
  const ms = durationArgument(text);
  if (ms >= shortestGrantMs && ms <= longestGrantMs) return ms;
  const [shortest, longest] = [shortestGrantMs, longestGrantMs].map(formatDuration);
  throw new InvalidArgumentError(`expected ${shortest} to ${longest}, found "${text}"`);
}
