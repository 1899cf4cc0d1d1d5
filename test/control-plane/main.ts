// The command `npm run cluster`: runs the command line and turns its end into an exit code.
import { runCommandLine } from './command-line.ts';

process.exitCode = await runCommandLine(process.argv.slice(2));
