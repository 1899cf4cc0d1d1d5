// `liberator uncordon`: what it is called and what it takes.
import type { Command } from 'commander';
import { callersKubeconfigHelp } from '../callers-cluster.ts';

export function addUncordonCommand(program: Command): void {
  program
    .command('uncordon')
    .description('let pods come to a node again, and no longer hold takeovers of it')
    .argument('<node>', 'the name of the node')
    .option('--kubeconfig <file>', callersKubeconfigHelp)
    .action(async (node: string, flags: { readonly kubeconfig?: string }) => {
      const { uncordonNode } = await import('../maintenance/cordon-node.ts');
      await uncordonNode(node, flags.kubeconfig);
    });
}
