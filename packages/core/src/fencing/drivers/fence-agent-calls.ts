// One fence agent that knows which machine is meant, and what its answers mean.
import { basename } from 'node:path';
import type { FenceTarget } from '../fence-target.ts';
import { SecretError, type Secrets } from '../secrets.ts';
import { TemplateError } from '../template.ts';
import { AgentInputError, type AgentLine, linesFor } from './fence-agent-input.ts';
import { readByIpmitool } from './fence-agent-ipmitool.ts';
import { type AgentMetadata, faultOf, type GivenParameters } from './fence-agent-metadata.ts';
import type { AgentFencerOptions } from './fence-agent-options.ts';
import { type ProgramEnd, runProgram } from './fence-agent-process.ts';
import { findProgram, metadataOf } from './fence-agent-program.ts';
import { complaintIn, firstLineOf } from './fence-agent-words.ts';

/** Why an agent is of no use now; `permanent`: nor is it when it is asked again. */
export class AgentTrouble extends Error {
  override readonly name = 'AgentTrouble';
  readonly permanent: boolean;

  constructor(detail: string, permanent = false) {
    super(detail);
    this.permanent = permanent;
  }
}

/** What came of one action. */
export interface AgentAnswer {
  readonly ok: boolean;
  /** For people, without secrets: what it ended with, and what it said. */
  readonly said: string;
}

/** What it says of the machine's power, or of its access to storage. */
export interface AgentStatus {
  readonly power: 'on' | 'off' | 'unknown';
  readonly said: string;
}

/** An agent that is ready to be asked about one machine. */
export class AgentCalls {
  /** As messages call it. */
  readonly agent: string;
  readonly metadata: AgentMetadata;
  readonly #program: string;
  readonly #lines: readonly AgentLine[];
  readonly #environment: Readonly<Record<string, string>>;
  readonly #secrets: Secrets;

  private constructor(
    program: string,
    metadata: AgentMetadata,
    lines: readonly AgentLine[],
    environment: Readonly<Record<string, string>>,
    secrets: Secrets,
  ) {
    this.agent = basename(program);
    this.metadata = metadata;
    this.#program = program;
    this.#lines = lines;
    this.#environment = environment;
    this.#secrets = secrets;
  }

  /**
   * Finds the program, reads what it says of itself, and fills in what it is to be told.
   *
   * @param needed - The actions without which it is of no use.
   * @throws {@link AgentTrouble}
   */
  static async prepare(
    options: AgentFencerOptions,
    target: FenceTarget,
    secrets: Secrets,
    needed: readonly string[],
    signal: AbortSignal,
  ): Promise<AgentCalls> {
    if (options.node !== undefined && options.node !== target.name) {
      throw new AgentTrouble(`it fences ${options.node} and no other node`, true);
    }
    const program = findProgram(options.program);
    if (program === undefined) throw new AgentTrouble(`there is no program ${options.program}`, true);
    const agent = basename(program);
    const metadata = await metadataOf(program, signal);
    if (metadata === undefined) {
      throw new AgentTrouble(
        signal.aborted ? `${agent}: called off` : `${agent}: its metadata cannot be read`,
      );
    }
    const fault = faultOf(metadata, givenBy(options), needed);
    if (fault !== undefined) throw new AgentTrouble(`${agent}: ${fault}`, true);
    const lines = readByIpmitool(metadata, await filledIn(options, target, secrets, agent));
    return new AgentCalls(program, metadata, lines, environmentOf(options.environment ?? []), secrets);
  }

  /** Runs an action that changes something. */
  async act(action: 'on' | 'off', signal: AbortSignal): Promise<AgentAnswer> {
    const end = await this.#run(action, signal, true);
    return { ok: end.outcome === 'ended' && end.code === 0, said: this.#words(action, end) };
  }

  async status(signal: AbortSignal): Promise<AgentStatus> {
    const end = await this.#run('status', signal, false);
    const power = powerIn(end);
    return { power, said: power === 'unknown' ? this.#words('status', end) : `status ${power}` };
  }

  #run(action: string, signal: AbortSignal, harms: boolean): Promise<ProgramEnd> {
    // First of all: an agent that was told nothing of it restarts the machine.
    const input = [`action=${action}`, ...this.#lines.map(({ name, value }) => `${name}=${value}`), ''].join(
      '\n',
    );
    return runProgram({ program: this.#program, input, environment: this.#environment, signal, harms });
  }

  #words(action: string, end: ProgramEnd): string {
    const how = howItEnded(end);
    if (end.outcome !== 'ended' && end.outcome !== 'killed') return `${action} ${how}`;
    const said =
      end.outcome === 'ended' && end.code === 0
        ? firstLineOf(end.stdout, this.#secrets)
        : complaintIn(end.stderr, end.stdout, this.#secrets);
    return said === '' ? `${action} ${how}` : `${action} ${how}: ${said}`;
  }
}

/** The names of what it is given. */
export function givenBy({ parameters, secretParameters = {}, node }: AgentFencerOptions): GivenParameters {
  const names = [...Object.keys(parameters), ...Object.keys(secretParameters)];
  const varying = Object.entries(parameters).flatMap(([name, template]) =>
    template.includes('{') ? [name] : [],
  );
  return { names, varying: node === undefined ? varying : undefined };
}

async function filledIn(
  options: AgentFencerOptions,
  target: FenceTarget,
  secrets: Secrets,
  agent: string,
): Promise<readonly AgentLine[]> {
  try {
    return await linesFor(target, options, secrets);
  } catch (error) {
    if (error instanceof TemplateError) throw new AgentTrouble(`${agent}: ${error.message}`, true);
    // A file may be there in a moment, and hold something else.
    if (error instanceof SecretError || error instanceof AgentInputError) {
      throw new AgentTrouble(`${agent}: ${error.message}`);
    }
    throw error;
  }
}

function environmentOf(names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/**
 * 0 is on, 2 is off. But 2 is as well what Python and shells end with when they can't run a program or don't understand what they
 * are told: one that complains, and doesn't say off, is not believed.
 */
function powerIn(end: ProgramEnd): AgentStatus['power'] {
  if (end.outcome !== 'ended') return 'unknown';
  const says = (word: RegExp): boolean => word.test(end.stdout);
  const saysOff = says(/\boff\b/i);
  const saysOn = says(/\bon\b/i);
  if (end.code === 0) return saysOn || !saysOff ? 'on' : 'unknown';
  if (end.code !== 2) return 'unknown';
  return saysOff || (!saysOn && end.stderr.trim() === '') ? 'off' : 'unknown';
}

function howItEnded(end: ProgramEnd): string {
  switch (end.outcome) {
    case 'ended':
      return end.code === 0 ? 'done' : `ended with ${end.code}`;
    case 'killed':
      return `was ended by ${end.by}`;
    case 'not-started':
      return `could not be started (${end.code})`;
    case 'called-off':
      return 'was called off';
  }
}
