// `liberator cordon`: what it is called and what it takes.
import type { Command } from 'commander';
import { addClusterOptions, type ClusterFlags } from '../cluster/flags.ts';

export function addCordonCommand(program: Command): void {
  const command = program
    .command('cordon')
    .description('keep new pods off a node; what runs there stays, and is still taken over if the node dies')
    .argument('<node>', 'the name of the node');
  addClusterOptions(command).action(async (node: string, flags: ClusterFlags) => {
    const { cordonNode } = await import('./cordon-node.ts');
    await cordonNode(node, flags);
  });
}
