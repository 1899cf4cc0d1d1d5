// `liberator fence`: what it is called and what it takes.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { addPlaceOptions } from '../cluster/place.ts';
import { durationArgument } from '../text/duration-argument.ts';
import { outputOption } from '../text/output-option.ts';
import type { FenceFlags } from './scene.ts';

/** In the image as the chart runs it. */
const whereAgentsHaveIt = '/etc/liberator/liberator.yaml';

const details = `
--check asks each fencer on the ladder of the node's policy, and changes
nothing. --power-off has one fencer switch the machine off, as a takeover would:
an acceptance test. It shows what is on the node, and asks for its name; nothing
answers that question for you. Both read the files with the devices' passwords,
which are where the agent runs:
  kubectl -n NAMESPACE exec -it deploy/liberator -- \\
    node liberator.mjs fence NODE --check

Exit code 1 also means: not ready, or not switched.`;

export function addFenceCommand(program: Command): void {
  const command = program
    .command('fence')
    .description('ask whether a node could be fenced, or try it')
    .argument('<node>', 'the name of the node')
    .option('-c, --config <file>', "the agent's configuration, as YAML", whereAgentsHaveIt);
  addPlaceOptions(command)
    .addOption(new Option('--check', 'only ask').conflicts(['powerOff', 'powerOn']))
    .addOption(new Option('--power-off', 'switch its machine off').conflicts('powerOn'))
    .option('--power-on', 'switch its machine on again')
    .option('--fencer <name>', 'only this one')
    .addOption(new Option('--reason <text>', 'why, for an Event on the Node').argParser(reasonArgument))
    .addOption(
      new Option('--timeout <duration>', 'how long switching may take')
        .argParser(durationArgument)
        .default(120_000, '2m'),
    )
    .addOption(outputOption())
    .addHelpText('after', details)
    .action(async (node: string, flags: FenceFlags) => {
      const { fenceNode } = await import('./fence-node.ts');
      await fenceNode(node, flags);
    });
}

const longestReason = 256;

function reasonArgument(text: string): string {
  const reason = text.trim();
  if (reason === '') throw new InvalidArgumentError('expected some words, found none');
  if (/\p{Cc}/u.test(reason) || reason.length > longestReason) {
    throw new InvalidArgumentError(`expected one line of at most ${longestReason} characters`);
  }
  return reason;
}
