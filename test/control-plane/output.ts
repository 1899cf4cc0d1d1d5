// Lays out what the command prints, within 80 columns.
import type { ClusterStatus } from './cluster.ts';
import type { StartProgress } from './start-up.ts';

const INDENT_OF_DETAIL = 36;
const WIDTH = 80;

/** Such as `  4.2 s  kube-apiserver           ready`. */
export function formatProgress({ part, detail, elapsedMs }: StartProgress): string {
  const time = `${(elapsedMs / 1000).toFixed(1)} s`.padStart(8);
  return `${time}  ${part.padEnd(INDENT_OF_DETAIL - 12)}  ${detail}`.slice(0, WIDTH);
}

export function formatStatus(status: ClusterStatus): string {
  const components = table([
    ['COMPONENT', 'PID', 'STATE'],
    ...status.components.map(({ name, pid, state }) => [name, pid === undefined ? '-' : `${pid}`, state]),
  ]);
  const nodes = table([
    ['NODE', 'ADDRESS', 'ZONE', 'PID', 'MACHINE', 'READY'],
    ...status.nodes.map(({ name, ip, zone, pid, condition, ready }) => {
      return [name, ip, zone, pid === undefined ? '-' : `${pid}`, condition, ready ?? '-'];
    }),
  ]);
  const heading = `${status.name}: Kubernetes ${status.version ?? 'of unknown version'} at ${status.url}`;
  return [heading, `in ${status.dir}`, '', ...components, '', ...nodes].join('\n');
}

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
