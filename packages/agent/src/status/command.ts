// `liberator status`: what it is called and what it takes.
import type { Command } from 'commander';
import { addPlaceOptions, type PlaceFlags } from '../cluster/place.ts';
import { type OutputFlags, outputOption } from '../text/output-option.ts';

export interface StatusFlags extends PlaceFlags, OutputFlags {
  readonly watch?: boolean;
}

export function addStatusCommand(program: Command): void {
  addPlaceOptions(program.command('status').description('who leads, how every node is, what is held and why'))
    .addOption(outputOption())
    .option('-w, --watch', 'go on, and show what changes, until Ctrl-C')
    .action(async (flags: StatusFlags) => {
      const { showStatus } = await import('./show-status.ts');
      await showStatus(flags);
    });
}
