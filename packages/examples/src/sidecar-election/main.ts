// The command `npm run example:sidecar-election`: runs the command line and turns its end into an exit code.
import { runCommandLine } from './command-line.ts';

process.exit(await runCommandLine(process.argv.slice(2)));
