// `liberator replay`: what it is called and what it takes.
import type { Command } from 'commander';
import { outputOption } from '../text/output-option.ts';
import type { ReplayFlags } from './replay-journal.ts';

export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .description('tell from a journal, node by node, what was decided and when, or would have been')
    .argument('<file...>', 'what `run --record` wrote: one file, or several of one journal')
    .option('-c, --config <file>', 'decide by this configuration instead, and tell what differs')
    .option('--node <name>', 'tell of this node alone')
    .addOption(outputOption())
    .action(async (files: readonly string[], flags: ReplayFlags) => {
      const { replayJournal } = await import('./replay-journal.ts');
      await replayJournal(files, flags);
    });
}
