// `liberator status`: what it is called and what it takes.
import { type Command, Option } from 'commander';
import { addPlaceOptions, type PlaceFlags } from '../cluster-place.ts';

export interface StatusFlags extends PlaceFlags {
  readonly output: 'text' | 'json';
  readonly watch?: boolean;
}

/** `-o json` for whoever reads what people read otherwise. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print it').choices(['text', 'json']).default('text');
}

export function addStatusCommand(program: Command): void {
  addPlaceOptions(program.command('status').description('who leads, how every node is, what is held and why'))
    .addOption(outputOption())
    .option('-w, --watch', 'go on, and show what changes, until Ctrl-C')
    .action(async (flags: StatusFlags) => {
      const { showStatus } = await import('../status/show-status.ts');
      await showStatus(flags);
    });
}
