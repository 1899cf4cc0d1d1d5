// The command line: which commands there are, and one sentence and an exit code for whatever goes wrong.
import { Command, CommanderError } from 'commander';
import { addCheckCommand, checkExitCodes } from './check/command.ts';
import { addConfirmCommand } from './confirm/command.ts';
import { addElectCommand } from './elect/command.ts';
import { addExplainCommand } from './explain/command.ts';
import { addFenceCommand } from './fence/command.ts';
import { addGuardCommand } from './guard/command.ts';
import { addReplayCommand } from './journal/command.ts';
import { addCordonCommand } from './maintenance/cordon-command.ts';
import { addDrainCommand } from './maintenance/drain-command.ts';
import { addUncordonCommand } from './maintenance/uncordon-command.ts';
import { exitCode } from './process/exit-code.ts';
import { FatalError, sayOnStderr, sentenceOf } from './process/failure.ts';
import { version } from './process/version.ts';
import { addRunCommand } from './run/command.ts';
import { addSimulateCommand } from './simulate/command.ts';
import { addStatusCommand } from './status/command.ts';
import { addTakeoversCommand } from './takeovers/command.ts';

const epilogue = `
Exit codes:
  0    done; for run and elect: leadership was handed over after a signal
  1    the cluster could not be used, or something unexpected happened
  2    the command line or the configuration is wrong
  3    run lost its leadership: start the process anew
  130  interrupted by SIGINT; run and elect: by a second one (143: SIGTERM)`;

/** Every command, as it is parsed; exported for those who check what is written about it. */
export function createProgram(): Command {
  const program = new Command('liberator')
    .description("Brings a dead node's stateful pods back to life elsewhere.")
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this')
    .helpCommand(false)
    .addHelpText('after', epilogue)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'liberator: ')) })
    .configureHelp({ helpWidth: 80 });
  addRunCommand(program);
  addCheckCommand(program);
  addStatusCommand(program);
  addTakeoversCommand(program);
  addExplainCommand(program);
  addSimulateCommand(program);
  addConfirmCommand(program);
  addFenceCommand(program);
  addCordonCommand(program);
  addDrainCommand(program);
  addUncordonCommand(program);
  addReplayCommand(program);
  addElectCommand(program);
  addGuardCommand(program);
  for (const command of program.commands) {
    command
      .copyInheritedSettings(program)
      .helpOption('-h, --help', 'print this')
      .addHelpText('after', command.name() === 'check' ? checkExitCodes : epilogue);
  }
  return program;
}

/** Runs what `args` ask for, and resolves to the exit code. Everything that went wrong has been said then. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const program = createProgram();
  if (args.length === 0) {
    program.outputHelp();
    return exitCode.done;
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    // A command that has more to say by its end than that it came there has set it.
    return Number(process.exitCode ?? exitCode.done);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
    sayOnStderr(error instanceof FatalError ? error.message : sentenceOf(error));
    return error instanceof FatalError ? error.exitCode : exitCode.failed;
  }
}
