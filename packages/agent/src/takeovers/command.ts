// `liberator takeovers`: what it is called and what it takes.
import type { Command } from 'commander';
import { addPlaceOptions } from '../cluster/place.ts';
import { outputOption } from '../text/output-option.ts';
import type { TakeoversFlags } from './show-takeovers.ts';

export function addTakeoversCommand(program: Command): void {
  const command = program
    .command('takeovers')
    .description('list takeovers, or tell one step by step')
    .argument('[name]', 'the id of a takeover, or a node: its newest one');
  addPlaceOptions(command)
    .addOption(outputOption())
    .action(async (name: string | undefined, flags: TakeoversFlags) => {
      const { showTakeovers } = await import('./show-takeovers.ts');
      await showTakeovers(name, flags);
    });
}
