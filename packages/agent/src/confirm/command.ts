// `liberator confirm`: what it is called and what it takes.
import type { Command } from 'commander';
import { addPlaceOptions } from '../cluster/place.ts';
import type { ConfirmFlags } from './confirm-node.ts';

const details = `
Shows what is known of the death and what would be released, asks, and writes
that you vouch for it, on the Node or, when that is gone, on the record of its
takeover. If the machine runs after all, two will write to the same volumes.

Exit code 1 also means: there is no death to confirm, the host answers, or you
did not type its name.`;

export function addConfirmCommand(program: Command): void {
  const command = program
    .command('confirm')
    .description('vouch that the machine of a dead node is off, so that its takeover goes on')
    .argument('<node>', 'the name of the node');
  addPlaceOptions(command)
    .option('--although-it-answers', 'even if its host answers, as when another machine has its address')
    .option('-y, --yes', 'ask nothing')
    .addHelpText('after', details)
    .action(async (node: string, flags: ConfirmFlags) => {
      const { confirmNode } = await import('./confirm-node.ts');
      await confirmNode(node, flags);
    });
}
