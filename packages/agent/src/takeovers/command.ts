// `liberator takeovers`: what it is called and what it takes.
import type { Command } from 'commander';
import { addPlaceOptions, type PlaceFlags } from '../cluster/place.ts';
import { type OutputFlags, outputOption } from '../text/output-option.ts';

export interface TakeoversFlags extends PlaceFlags, OutputFlags {}

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
