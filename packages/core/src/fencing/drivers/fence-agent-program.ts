// One fence agent on this machine: where its program is, and what it says of itself, read anew when the program was replaced.
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { type AgentMetadata, readMetadata } from './fence-agent-metadata.ts';
import { runProgram } from './fence-agent-process.ts';

/** Where a program is looked for by its name: never in the PATH of this process, which others may have set. */
const folders: readonly string[] = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'];

/** By what names the very file. The agents of a whole distribution fit. */
const known = new Map<string, AgentMetadata>();
const mostKnown = 200;

/** Undefined when there is no such program, or it may not be run. */
export function findProgram(program: string): string | undefined {
  const candidates = isAbsolute(program) ? [program] : folders.map((folder) => join(folder, program));
  return candidates.find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Undefined when it can't be read, also because the signal aborted. Never rejects. */
export async function metadataOf(program: string, signal: AbortSignal): Promise<AgentMetadata | undefined> {
  const key = fileOf(program);
  const remembered = known.get(key);
  if (remembered !== undefined) return remembered;
  const metadata = await askForMetadata(program, signal);
  if (metadata === undefined) return undefined;
  if (known.size >= mostKnown) known.clear();
  known.set(key, metadata);
  return metadata;
}

/** The name counts, too: some are one file under several names, and say something else under each. */
function fileOf(program: string): string {
  try {
    const { ino, mtimeMs, ctimeMs, size } = statSync(program);
    return JSON.stringify([program, realpathSync(program), ino, mtimeMs, ctimeMs, size]);
  } catch {
    return program;
  }
}

/**
 * Some programs take this one action on their command line alone. Its standard input says so all the same: one that looks at nothing
 * else and isn't told what to do restarts the machine.
 */
async function askForMetadata(program: string, signal: AbortSignal): Promise<AgentMetadata | undefined> {
  const input = 'action=metadata\n';
  for (const args of [[], ['-o', 'metadata']]) {
    const end = await runProgram({ program, args, input, environment: {}, signal, harms: false });
    if (end.outcome === 'called-off' || end.outcome === 'not-started') return undefined;
    const metadata = end.outcome === 'ended' && end.code === 0 ? readMetadata(end.stdout) : undefined;
    if (metadata !== undefined) return metadata;
  }
  return undefined;
}
