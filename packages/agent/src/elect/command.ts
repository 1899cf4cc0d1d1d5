// `liberator elect`: what it is called and what it takes. The sidecar itself is loaded only when it is asked for.
import { hostname } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { addClusterOptions, namedKubeconfigHelp } from '../cluster/flags.ts';
import { formatDuration } from '../text/duration.ts';
import { durationArgument } from '../text/duration-argument.ts';
import { longestTtlMs, shortestTtlMs } from './election-timings.ts';
import { listenAddressArgument, parseListenAddress } from './listen-address.ts';
import type { ElectFlags } from './run-candidate.ts';

export function addElectCommand(program: Command): void {
  const command = program
    .command('elect')
    .description('hold an election as a sidecar, and tell the container beside it who leads')
    .addOption(
      new Option('--election <name>', 'name of the election and of its Lease')
        .argParser(leaseName)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--id <id>', 'name of this candidate, unlike all others')
        .argParser(identity)
        .default(hostname(), 'the host name'),
    )
    .addOption(
      new Option(
        '--election-namespace <name>',
        "namespace of the Lease (default: the pod's, or that of the kubeconfig's context)",
      ).argParser(namespaceName),
    )
    .addOption(
      new Option(
        '--ttl <duration>',
        'how long a silent leader is waited for; a leader that can not renew stops at two thirds of it',
      )
        .argParser(ttl)
        .default(10_000, '10s'),
    )
    .addOption(
      new Option('--http <address:port>', 'where to answer')
        .argParser(listenAddressArgument)
        .default(parseListenAddress('127.0.0.1:4040'), '127.0.0.1:4040'),
    );
  addClusterOptions(command, namedKubeconfigHelp)
    .addOption(
      new Option('-n, --namespace <name>', 'the same as --election-namespace').argParser(namespaceName),
    )
    .action(async (flags: ElectFlags) => {
      const { runCandidate } = await import('./run-candidate.ts');
      await runCandidate(flags);
    });
}

function leaseName(text: string): string {
  if (text.length <= 253 && /^[a-z\d]([-a-z\d]*[a-z\d])?(\.[a-z\d]([-a-z\d]*[a-z\d])?)*$/.test(text))
    return text;
  throw new InvalidArgumentError(
    `expected a name that a Lease can have, lower-case letters, digits, "-" and ".", found "${text}"`,
  );
}

function namespaceName(text: string): string {
  if (text.length <= 63 && /^[a-z\d]([-a-z\d]*[a-z\d])?$/.test(text)) return text;
  throw new InvalidArgumentError(`expected a namespace, lower-case letters, digits and "-", found "${text}"`);
}

/** It goes into the Lease, and with every request into the API server's audit log. */
function identity(text: string): string {
  if (text.length <= 128 && /^[-\w.:@/]+$/.test(text)) return text;
  throw new InvalidArgumentError(
    `expected up to 128 letters, digits and "-_.:@/", such as the name of the pod, found "${text}"`,
  );
}

function ttl(text: string): number {
  const ms = durationArgument(text);
  if (ms >= shortestTtlMs && ms <= longestTtlMs) return ms;
  const [shortest, longest] = [shortestTtlMs, longestTtlMs].map(formatDuration);
  throw new InvalidArgumentError(`expected ${shortest} to ${longest}, found "${text}"`);
}
