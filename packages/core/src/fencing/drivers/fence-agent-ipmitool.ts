// Agents for IPMI hand the password to ipmitool on its command line, where everybody on the machine can read it for some milliseconds.
// So ipmitool gets it by itself, out of the file.
import type { AgentLine } from './fence-agent-input.ts';
import { type AgentMetadata, sameName } from './fence-agent-metadata.ts';

/** The last but one of the words that they put together for ipmitool, as they are: `-N 2`. Behind `-P`, so that `-f` counts. */
const carrier = 'ipmitool_timeout';

/** What such an agent says when nobody says anything. */
const usual = '2';

/** The lines as they are for any other agent, and where no file holds the password. */
export function readByIpmitool(metadata: AgentMetadata, lines: readonly AgentLine[]): readonly AgentLine[] {
  const has = (name: string): boolean => metadata.parameters.some((one) => sameName(one.name) === name);
  if (!has('ipmitool_path') || !has(carrier)) return lines;
  const password = lines.find(({ name, file }) => isPassword(name) && file !== undefined);
  if (password?.file === undefined) return lines;
  const given = lines.find(({ name }) => sameName(name) === carrier);
  const others = lines.filter((line) => line !== password && line !== given);
  return [...others, { name: carrier, value: `${given?.value ?? usual} -f ${quoted(password.file)}` }];
}

function isPassword(name: string): boolean {
  return ['password', 'passwd'].includes(sameName(name));
}

/** As one word, for who splits words as a shell does. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'"'"'`)}'`;
}
