// What a fence agent says of itself: which actions it knows, which parameters it takes, and which of them name the machine. Pure.
import { SaxesParser } from 'saxes';

/** One parameter. */
interface AgentParameter {
  /** As it is written before the `=`. */
  readonly name: string;
  readonly required: boolean;
  /** The older name of the same, if it has one. */
  readonly obsoletes?: string;
  /** How it is given on a command line: `-n, --plug=[id]`. Those that share it are one parameter. */
  readonly option: string;
}

/** One action. */
interface AgentAction {
  readonly name: string;
  /** It works only when it runs on the machine that it is about. */
  readonly onTarget: boolean;
}

/** All of it. */
export interface AgentMetadata {
  readonly parameters: readonly AgentParameter[];
  readonly actions: readonly AgentAction[];
}

/** Two spellings of one name, as agents take them. */
export function sameName(name: string): string {
  return name.toLowerCase().replaceAll('-', '_');
}

/** Undefined when it is no metadata, or not all of it. */
export function readMetadata(text: string): AgentMetadata | undefined {
  const parameters: AgentParameter[] = [];
  const actions: AgentAction[] = [];
  let root = '';
  let open: { name: string; required: boolean; obsoletes?: string; option: string } | undefined;
  const seen = new Set<string>();
  // Without namespaces every attribute is a text.
  const parser = new SaxesParser({ xmlns: false });
  parser.on('opentag', ({ name, attributes }) => {
    if (root === '') root = name;
    seen.add(name);
    if (name === 'parameter') {
      const { obsoletes } = attributes;
      open = {
        name: attributes['name'] ?? '',
        required: attributes['required'] === '1' || attributes['required'] === 'true',
        ...(obsoletes !== undefined && { obsoletes }),
        option: '',
      };
    } else if (name === 'getopt' && open !== undefined) {
      open.option = attributes['mixed'] ?? '';
    } else if (name === 'action') {
      actions.push({ name: attributes['name'] ?? '', onTarget: attributes['on_target'] === '1' });
    }
  });
  parser.on('closetag', ({ name }) => {
    if (name !== 'parameter' || open === undefined) return;
    parameters.push(open);
    open = undefined;
  });
  try {
    // Some print an empty line before the declaration, which XML does not allow.
    parser.write(text.trim()).close();
  } catch {
    return undefined;
  }
  return root === 'resource-agent' && seen.has('parameters') && seen.has('actions')
    ? { parameters, actions }
    : undefined;
}

/** What an agent would be told. */
export interface GivenParameters {
  /** The names of all that it would get. */
  readonly names: readonly string[];
  /** Those whose values differ from node to node. Undefined: only one node is ever meant. */
  readonly varying: readonly string[] | undefined;
}

/** Why no fencer can be made of it; undefined when one can. */
export function faultOf(
  metadata: AgentMetadata,
  given: GivenParameters,
  needed: readonly string[],
): string | undefined {
  const missing = needed.find((action) => !metadata.actions.some(({ name }) => name === action));
  if (missing !== undefined) return `it has no action "${missing}"`;
  const names = new Set(given.names.map(sameName));
  const other = metadata.parameters.find(
    ({ name, option }) => names.has(sameName(name)) && /(?:^|[\s,])(?:-o\b|--action\b)/.test(option),
  );
  if (other !== undefined) return `its parameter "${other.name}" is the action, which is named by the fencer`;
  const groups = groupsOf(metadata);
  const has = (group: Group): boolean => [...group.names].some((name) => names.has(name));
  const unnamed = unnamedMachine(groups, has) ?? sameMachine(groups, given.varying);
  if (unnamed !== undefined) return unnamed;
  const lacking = groups.find((group) => group.required && !group.names.has('action') && !has(group));
  return lacking === undefined ? undefined : `its parameter "${lacking.label}" is required and not given`;
}

/** Parameters that it doesn't know and would pass over; undefined when there are none. */
export function unknownParameter(
  { parameters }: AgentMetadata,
  given: readonly string[],
): string | undefined {
  const known = new Set(parameters.flatMap(({ name, option }) => [sameName(name), ...longOptions(option)]));
  return given.find((name) => !known.has(sameName(name)));
}

/** The names of one parameter. */
interface Group {
  readonly names: ReadonlySet<string>;
  /** What messages call it: the newest name. */
  readonly label: string;
  readonly required: boolean;
}

function groupsOf({ parameters }: AgentMetadata): readonly Group[] {
  const groups: { names: Set<string>; label: string; required: boolean }[] = [];
  for (const { name, required, obsoletes, option } of parameters) {
    const names = [name, ...(obsoletes === undefined ? [] : [obsoletes]), ...longOptions(option)].map(
      sameName,
    );
    const group = groups.find((one) => names.some((each) => one.names.has(each)));
    if (group === undefined) {
      groups.push({ names: new Set(names), label: name, required });
      continue;
    }
    for (const each of names) group.names.add(each);
    group.required ||= required;
    if (obsoletes !== undefined) group.label = name;
  }
  return groups;
}

/** Agents take the name of the option for the parameter's as well. */
function longOptions(option: string): readonly string[] {
  return [...option.matchAll(/--([A-Za-z0-9_-]+)/g)].map(([, name = '']) => sameName(name));
}

function groupOf(groups: readonly Group[], name: string): Group | undefined {
  return groups.find(({ names }) => names.has(name));
}

/**
 * Which machine is meant must not be left to the agent: one of them then takes whichever it finds last. It is what a plug of a
 * device is; a manager with several machines behind it has a path for each; and one that manages a single machine is that machine.
 */
function unnamedMachine(groups: readonly Group[], has: (group: Group) => boolean): string | undefined {
  const plug = groupOf(groups, 'plug') ?? groupOf(groups, 'port');
  const plugIsAddress = groupOf(groups, 'port_as_ip');
  if (plug !== undefined && plugIsAddress !== undefined && has(plug) && !has(plugIsAddress)) {
    return `its parameter "${plug.label}" counts only together with "${plugIsAddress.label}"`;
  }
  const path = groupOf(groups, 'systems_uri');
  if (path !== undefined) return has(path) ? undefined : unnamed(path);
  if (plug === undefined || has(plug)) return undefined;
  const address = plugIsAddress === undefined ? undefined : groupOf(groups, 'ip');
  if (address === undefined) return unnamed(plug);
  return has(address) ? undefined : unnamed(address);
}

function unnamed({ label }: Group): string {
  return `nothing names the machine: its parameter "${label}" is not given`;
}

/** Whatever else differs: with these alike, the death of one node would be another one's. */
function sameMachine(groups: readonly Group[], varying: readonly string[] | undefined): string | undefined {
  if (varying === undefined) return undefined;
  const naming = ['plug', 'port', 'systems_uri', 'ip', 'ipport'].flatMap(
    (name) => groupOf(groups, name) ?? [],
  );
  const vary = naming.some(({ names }) => varying.some((name) => names.has(sameName(name))));
  if (vary || naming.length === 0) return undefined;
  const labels = [...new Set(naming.map(({ label }) => label))].join(', ');
  return `it would be the same machine whichever node died: none of ${labels} has a placeholder such as {name}`;
}
