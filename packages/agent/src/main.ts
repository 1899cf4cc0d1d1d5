#!/usr/bin/env node
// The process: its arguments in, its exit code out. It ends even if something is left that would keep it alive.
import './small-process.ts';
import { runCommandLine } from './command-line.ts';

process.exit(await runCommandLine(process.argv.slice(2)));
