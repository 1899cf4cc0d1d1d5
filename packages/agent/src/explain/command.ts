// `liberator explain`: what it is called and what it takes.
import type { Command } from 'commander';
import { addPlaceOptions } from '../cluster/place.ts';
import { outputOption } from '../text/output-option.ts';
import type { ExplainFlags } from './explain-node.ts';

export function addExplainCommand(program: Command): void {
  const command = program
    .command('explain')
    .description('why something is done, or not done, about a node: the verdict of every guard')
    .argument('<node>', 'the name of the node');
  addPlaceOptions(command)
    .addOption(outputOption())
    .action(async (node: string, flags: ExplainFlags) => {
      const { explainNode } = await import('./explain-node.ts');
      await explainNode(node, flags);
    });
}
