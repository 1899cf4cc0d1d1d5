// `liberator cordon`: what it is called and what it takes.
import type { Command } from 'commander';
import { callersKubeconfigHelp } from '../callers-cluster.ts';

export function addCordonCommand(program: Command): void {
  program
    .command('cordon')
    .description('keep new pods off a node; what runs there stays, and is still taken over if the node dies')
    .argument('<node>', 'the name of the node')
    .option('--kubeconfig <file>', callersKubeconfigHelp)
    .action(async (node: string, flags: { readonly kubeconfig?: string }) => {
      const { cordonNode } = await import('../maintenance/cordon-node.ts');
      await cordonNode(node, flags.kubeconfig);
    });
}
