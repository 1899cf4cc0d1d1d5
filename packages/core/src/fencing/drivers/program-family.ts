// The processes that a program has brought forth, found whatever became of their parents, so that they can be ended as one.
import { readdirSync, readFileSync } from 'node:fs';

/** What its processes have in common. */
export interface ProgramFamily {
  /** The first of them: its process group has its number. */
  readonly leader: number;
  /** In the environment of each, `NAME=VALUE`: one that made a group or a session of its own still has it. */
  readonly mark: string;
}

const running = new Set<ProgramFamily>();

function endThemAll(): void {
  for (const left of running) endNow(left);
}

/** From now on until {@link forget} it is ended when this process ends in an orderly way. */
export function remember(family: ProgramFamily): void {
  if (running.size === 0) process.on('exit', endThemAll);
  running.add(family);
}

export function forget(family: ProgramFamily): void {
  running.delete(family);
  if (running.size === 0) process.off('exit', endThemAll);
}

/** Sends a signal to the whole process group. */
export function signalGroup({ leader }: ProgramFamily, signal: NodeJS.Signals): void {
  send(-leader, signal);
}

/** Ends all of it at once, as far as it can be found in one look. Returns whether anything was there. */
export function endNow(family: ProgramFamily): boolean {
  signalGroup(family, 'SIGKILL');
  const living = livingOf(family);
  for (const pid of living) send(pid, 'SIGKILL');
  return living.length > 0;
}

/** Whether anything of it is left. */
export function lives(family: ProgramFamily): boolean {
  return livingOf(family).length > 0;
}

/** Read in one go: a process that forks meanwhile must not slip through between two turns of the event loop. */
function livingOf(family: ProgramFamily): readonly number[] {
  const numbers = listed('/proc').filter((name) => /^\d+$/.test(name));
  if (numbers.length === 0) return answers(-family.leader) ? [-family.leader] : [];
  return numbers.filter((pid) => belongs(pid, family)).map(Number);
}

function belongs(pid: string, { leader, mark }: ProgramFamily): boolean {
  // "PID (NAME) STATE PARENT GROUP ...": the name may hold anything.
  const stat = contentOf(`/proc/${pid}/stat`);
  const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // One that has ended and that nobody has asked about yet does nothing any more.
  if (state === undefined || state === '' || state === 'Z' || state === 'X') return false;
  return Number(group) === leader || contentOf(`/proc/${pid}/environ`).split('\0').includes(mark);
}

function listed(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Empty for what has ended meanwhile, and for what is somebody else's. */
function contentOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function answers(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
