// `liberator uncordon`: what it is called and what it takes.
import type { Command } from 'commander';
import { addClusterOptions, type ClusterFlags } from '../cluster/flags.ts';

export function addUncordonCommand(program: Command): void {
  const command = program
    .command('uncordon')
    .description('let pods come to a node again, and no longer hold takeovers of it')
    .argument('<node>', 'the name of the node');
  addClusterOptions(command).action(async (node: string, flags: ClusterFlags) => {
    const { uncordonNode } = await import('./cordon-node.ts');
    await uncordonNode(node, flags);
  });
}
