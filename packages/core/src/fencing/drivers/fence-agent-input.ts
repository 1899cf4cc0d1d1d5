// What an agent is told about one machine: the lines for its standard input, filled in anew for each use.
import { deviceAddress } from '../device-address.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { Secrets } from '../secrets.ts';
import { fillIn, TemplateError } from '../template.ts';
import type { AgentOptions } from './fence-agent-options.ts';
import { addressesIn, asUrl, valueFault } from './fence-agent-options.ts';

/** A parameter that can't be given to an agent; never says what is in it. */
export class AgentInputError extends Error {
  override readonly name = 'AgentInputError';
}

/** One line for its standard input. */
export interface AgentLine {
  readonly name: string;
  readonly value: string;
  /** Where the value is from, if it is a secret. */
  readonly file?: string;
}

/**
 * All lines but that of the action.
 *
 * @throws {@link AgentInputError}, {@link TemplateError} or SecretError
 */
export async function linesFor(
  target: FenceTarget,
  {
    parameters,
    secretParameters = {},
    hosts,
  }: Pick<AgentOptions, 'parameters' | 'secretParameters' | 'hosts'>,
  secrets: Secrets,
): Promise<readonly AgentLine[]> {
  const lines: AgentLine[] = Object.entries(parameters).map(([name, template]) =>
    sound({ name, value: filled(template, target) }),
  );
  for (const name of hosts === undefined ? [] : addressesIn(parameters)) {
    deviceAddress(asUrl(parameters[name] ?? ''), target, hosts);
  }
  for (const [name, path] of Object.entries(secretParameters)) {
    const file = fillIn(path, target, 'segment');
    lines.push(sound({ name, value: await secrets.read(file), file }));
  }
  return lines;
}

function sound(line: AgentLine): AgentLine {
  const fault = valueFault(line.value);
  if (fault !== undefined) throw new AgentInputError(`the parameter "${line.name}": ${fault}`);
  return line;
}

/**
 * What a Node says of itself, its kubelet may have made up, and agents put what they are told into command lines of others without
 * any quotes: none of it may become a word of its own, or a list of machines.
 */
function filled(template: string, target: FenceTarget): string {
  for (const [placeholder] of template.matchAll(/[{][^{}]*[}]/g)) {
    const value = fillIn(placeholder, target, 'word');
    if (!/^[\p{L}\p{N}._:@/+=%[\]][\p{L}\p{N}._:@/+=%[\]-]*$/u.test(value)) {
      throw new TemplateError(
        `${placeholder.slice(1, -1)} of ${target.name} has characters that agents may take for something else`,
      );
    }
  }
  return fillIn(template, target, 'word');
}
