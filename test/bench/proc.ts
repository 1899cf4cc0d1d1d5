// What Linux knows about a process: the CPU that it has had, and the memory that it has.
import { readFileSync } from 'node:fs';

/** Of user and kernel together, all threads. The kernel counts in hundredths of a second. */
export function cpuMsOf(pid: number): number {
  return cpuMsIn(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

/** The same, out of the text of `/proc/PID/stat`. */
export function cpuMsIn(stat: string): number {
  // The name of the program is in parentheses, and may have anything in it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [fields[11], fields[12]].map(Number);
  if (user === undefined || system === undefined || Number.isNaN(user + system)) {
    throw new TypeError(`expected the text of /proc/PID/stat, found ${stat.slice(0, 80)}`);
  }
  return (user + system) * 10;
}

/** All pages that are in memory now, shared ones included: what a container's limit is about. */
export function rssMiBOf(pid: number): number {
  return rssMiBIn(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'));
}

/** The same, out of the text of `/proc/PID/smaps_rollup`. */
export function rssMiBIn(rollup: string): number {
  const kib = /^Rss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  if (kib === undefined)
    throw new TypeError(`expected the text of smaps_rollup, found ${rollup.slice(0, 80)}`);
  return Number(kib) / 1_024;
}
