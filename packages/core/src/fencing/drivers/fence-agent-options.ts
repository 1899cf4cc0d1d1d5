// What an agent fencer may be told, and what is wrong with it before anything is run.
import { addressFault, hostPatternFault, kubeletSays } from '../device-address.ts';
import { isTemplate, templateFault } from '../template.ts';
import { sameName } from './fence-agent-metadata.ts';

/** What {@link agentFencer} is made from. */
export type AgentFencerOptions = AgentOptions & AgentProofOptions;

/** What the agent's `off` proves. */
export type AgentProofOptions =
  | {
      /** Default: the agent switches a machine's power. */
      readonly proof?: 'powered-off';
    }
  | {
      /**
       * The agent cuts the machine off from storage and lets it run: `fence_scsi`, `fence_mpath`, a switch of a storage network. Nothing
       * in its metadata tells that reliably, so it has to be said.
       */
      readonly proof: 'isolated';
      /**
       * The CSI drivers from whose volumes the machine is cut off, or `all` when it can write to no volume of any: only pods whose
       * writable volumes are all covered are released.
       */
      readonly csiDrivers: readonly string[] | 'all';
    };

/** What every fence agent is told, whatever it proves. */
export interface AgentOptions {
  /** As policies name it. */
  readonly name: string;
  /**
   * The program: an absolute path, or the name of one in `/usr/sbin`, `/usr/bin`, `/usr/local/sbin` or `/usr/local/bin`. Never a
   * command line: no shell sees it.
   */
  readonly program: string;
  /**
   * What it is told, as its metadata names it. Each value is a template: `{name}`, `{annotation.KEY}` and the like stand for what is known
   * of the node. What is filled in consists of letters, digits and `.` `_` `:` `@` `/` `+` `=` `%` `[` `]` `-`, and does not begin with `-`, since
   * agents build command lines of others from it. `action` is none of them: the fencer names it. Neither are passwords, tokens and
   * the like, which belong into `secretParameters`: what stands here is a secret to nobody.
   */
  readonly parameters: Readonly<Record<string, string>>;
  /**
   * The same for secrets: for each parameter the absolute path of a file that holds its value and nothing else, a template as well. Read
   * anew at each use. What is filled in is one part of a path. An agent that hands its password to ipmitool would do so on a command
   * line: there ipmitool is told of the file instead. Default: none.
   */
  readonly secretParameters?: Readonly<Record<string, string>>;
  /**
   * Which hosts a parameter that is an address (`ip`, `ipaddr`, or `plug` beside `port_as_ip`) may name: `bmc-7.example.com`,
   * `*.bmc.example.com`, `10.7.0.0/16`. Required where it is made from what a node's kubelet may set itself, which could otherwise have our
   * credentials sent anywhere, and get its proof from there. Default: any host.
   */
  readonly hosts?: readonly string[];
  /**
   * The only node that it fences. Without it at least one of `parameters` has to differ from node to node, or the death of any
   * node would be that of one machine. Default: any node.
   */
  readonly node?: string;
  /**
   * Names of variables of this process's environment that the agent gets as they are, such as `HTTPS_PROXY` or
   * `AWS_WEB_IDENTITY_TOKEN_FILE`. Default: none, so that no secret of this process gets there.
   */
  readonly environment?: readonly string[];
  /** How long one answer may take as a whole, in milliseconds. Default 60,000. Longer bears with slow devices; shorter gets to the next rung sooner. */
  readonly timeoutMs?: number;
  /**
   * For how long the machine has to stay off, in milliseconds: `status` has to say so before and after. Default 3,000. Shorter is
   * faster; longer sees through devices that say so too early.
   */
  readonly settleMs?: number;
}

/**
 * `action` is the fencer's own to name, `option` and `nodename` are older words for such things. `delay` would have the agent act
 * after what was looked at before it had become old. The others have it do nothing, or write what it does to a file, secrets included.
 */
const notGiven: readonly string[] = [
  'action',
  'option',
  'nodename',
  'delay',
  'help',
  'version',
  'debug',
  'debug_file',
  'logfile',
];

/** What agents call secrets: `password`, `snmp_priv_passwd`, `secret_key`, `community`. */
const secretName =
  /(?:^|_)(?:passwd|password|secret|secret_key|private_key|community|token|api_?token|api_?key|apikey)$/;

/** Why no fencer can be made of these options, whichever node it is about; undefined when one can. Runs nothing. */
export function agentFencerFault(options: AgentFencerOptions): string | undefined {
  const { program, parameters, secretParameters = {}, timeoutMs, settleMs } = options;
  return (
    programFault(program) ??
    parametersFault(parameters, secretParameters) ??
    secretsFault(secretParameters) ??
    placeholderFault(options) ??
    hostsFault(options) ??
    environmentFault(options.environment ?? []) ??
    proofFault(options) ??
    durationFault('timeoutMs', timeoutMs, 1) ??
    durationFault('settleMs', settleMs, 0)
  );
}

function programFault(program: string): string | undefined {
  return /^(?:\/[^\0]+|[A-Za-z0-9_][A-Za-z0-9._-]*)$/.test(program)
    ? undefined
    : 'expected program to be an absolute path or the name of a program';
}

function parametersFault(
  parameters: Readonly<Record<string, string>>,
  secretParameters: Readonly<Record<string, string>>,
): string | undefined {
  const names = [...Object.keys(parameters), ...Object.keys(secretParameters)];
  const malformed = names.find((name) => !/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name));
  if (malformed !== undefined) return `expected the name of a parameter, found ${JSON.stringify(malformed)}`;
  const reserved = names.find((name) => notGiven.includes(sameName(name)));
  if (reserved !== undefined) return `expected no parameter "${reserved}"`;
  const same = names.map(sameName);
  const twice = names.find((_, index) => same.indexOf(same[index] ?? '') < index);
  if (twice !== undefined) return `expected each parameter once, found "${twice}" a second time`;
  const open = Object.keys(parameters).find((name) => secretName.test(sameName(name)));
  if (open !== undefined) {
    return `expected the parameter "${open}" among secretParameters, as a file that holds it, since it is a secret`;
  }
  for (const [name, template] of Object.entries(parameters)) {
    const wrong = templateFault(template) ?? valueFault(template);
    if (wrong !== undefined) return `the parameter "${name}": ${wrong}`;
  }
  return undefined;
}

/** An agent strips and unquotes what it reads, and takes each line for a parameter. */
export function valueFault(value: string): string | undefined {
  if (value === '') return 'expected a value, found none';
  if (/\p{Cc}|\p{Zl}|\p{Zp}/u.test(value)) return 'expected one line without control characters';
  if (value.trim() !== value) return 'expected no blanks at its ends';
  if (/^["'`]|["'`]$/.test(value)) return 'expected no quotes at its ends';
  return undefined;
}

function secretsFault(files: Readonly<Record<string, string>>): string | undefined {
  for (const [name, path] of Object.entries(files)) {
    if (!path.startsWith('/')) return `the secret parameter "${name}": expected an absolute path of a file`;
    const wrong = templateFault(path);
    if (wrong !== undefined) return `the secret parameter "${name}": ${wrong}`;
  }
  return undefined;
}

function placeholderFault({ node, parameters }: AgentOptions): string | undefined {
  return node === undefined && !Object.values(parameters).some(isTemplate)
    ? 'it would be the same machine whichever node died: expected a placeholder such as {name} in a parameter, or the only node that it is for'
    : undefined;
}

/** Names of the parameters that say where requests go. */
export function addressesIn(parameters: Readonly<Record<string, string>>): readonly string[] {
  const names = Object.keys(parameters);
  const plugs = names.some((name) => sameName(name) === 'port_as_ip') ? ['plug', 'port'] : [];
  return names.filter((name) => ['ip', 'ipaddr', ...plugs].includes(sameName(name)));
}

/** What some agents call the place of their manager: `auth_url`, `metadata_endpoint`, `proxyhost`. No list of hosts is about these. */
const placeName = /url|host|proxy|endpoint|server/;

function hostsFault({ parameters, hosts = [] }: AgentOptions): string | undefined {
  for (const [name, template] of Object.entries(parameters)) {
    const free = kubeletSays(template);
    if (free.length > 0 && placeName.test(sameName(name))) {
      return `expected the parameter "${name}" not to be made from what a kubelet may set itself, since it may say where credentials are sent; found ${free.join(', ')}`;
    }
  }
  for (const name of addressesIn(parameters)) {
    const template = parameters[name] ?? '';
    const free = kubeletSays(template);
    if (free.length === 0) continue;
    if (hosts.length === 0) {
      return `expected hosts beside the parameter "${name}", since a kubelet may set ${free.join(', ')} itself and so have credentials sent anywhere; found none`;
    }
    const fault = addressFault(asUrl(template));
    if (fault !== undefined) return `the parameter "${name}" is no address of a host: ${fault}`;
  }
  for (const pattern of hosts) {
    const fault = hostPatternFault(pattern);
    if (fault !== undefined) return `expected hosts to be hosts, found "${pattern}": ${fault}`;
  }
  return undefined;
}

/** For what is known of addresses only as part of a URL. */
export function asUrl(template: string): string {
  return `https://${template}`;
}

function environmentFault(names: readonly string[]): string | undefined {
  const wrong = names.find((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  return wrong === undefined ? undefined : `expected the name of a variable, found "${wrong}"`;
}

function proofFault(options: AgentFencerOptions): string | undefined {
  const { proof } = options;
  if (proof !== undefined && proof !== 'powered-off' && proof !== 'isolated') {
    return 'expected proof to be powered-off or isolated';
  }
  if (options.proof !== 'isolated') return undefined;
  const { csiDrivers } = options;
  return csiDrivers === 'all' || (Array.isArray(csiDrivers) && csiDrivers.length > 0)
    ? undefined
    : 'expected the CSI drivers that the proof covers, or all; found none';
}

function durationFault(key: string, found: number | undefined, leastMs: number): string | undefined {
  return found === undefined || (Number.isFinite(found) && found >= leastMs)
    ? undefined
    : `expected ${key} to be at least ${leastMs} milliseconds, found ${found}`;
}
