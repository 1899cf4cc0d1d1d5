// `liberator status`: what it is called and what it takes.
import type { Command } from 'commander';
import { addPlaceOptions } from '../cluster/place.ts';
import { outputOption } from '../text/output-option.ts';
import type { StatusFlags } from './show-status.ts';

export function addStatusCommand(program: Command): void {
  addPlaceOptions(program.command('status').description('who leads, how every node is, what is held and why'))
    .addOption(outputOption())
    .option('-w, --watch', 'go on, and show what changes, until Ctrl-C')
    .action(async (flags: StatusFlags) => {
      const { showStatus } = await import('./show-status.ts');
      await showStatus(flags);
    });
}
