// The agents: the real program, three times, each in a process of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DemoCluster } from '../cluster/demo-cluster.ts';
import type { ManagementController } from '../cluster/management-controller.ts';
import type { Journal } from '../observing/journal.ts';
import { agentConfig } from './agent-config.ts';
import { observationIn } from './agent-lines.ts';

const program = fileURLToPath(import.meta.resolve('@liberator/agent/src/main.ts'));

const lifeline = new URL('./lifeline.ts', import.meta.url).href;

/** An agent hands over its leadership before it ends; more than that and it hangs. */
const stopPatienceMs = 10_000;

export interface AgentsOptions {
  readonly cluster: DemoCluster;
  /** Who can prove that a machine is off. */
  readonly controller: ManagementController;
  readonly journal: Journal;
  /** Where configurations and logs are written. */
  readonly directory: string;
  /** Makes identities unique among all demos that ever ran on this cluster. */
  readonly run: string;
}

/** Three replicas of the agent; what they log goes to the journal. Disposing of it stops them in good order. */
export class Agents implements AsyncDisposable {
  readonly names: readonly string[] = ['agent-1', 'agent-2', 'agent-3'];
  readonly #processes: readonly AgentProcess[];

  constructor(options: AgentsOptions) {
    this.#processes = this.names.map((name) => new AgentProcess(name, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.stop()));
  }
}

class AgentProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #killWithUs: () => void;
  #stopping = false;

  constructor(name: string, { cluster, controller, journal, directory, run }: AgentsOptions) {
    const config = join(directory, `${name}.yaml`);
    const log = createWriteStream(join(directory, `${name}.log`), { mode: 0o600 });
    const text = agentConfig(`${name}.${run}`, cluster.detection, controller.access);
    writeFileSync(config, text, { mode: 0o600 });
    const args = ['run', '--config', config, '--kubeconfig', cluster.agentKubeconfig];
    const runtime = [...process.execArgv, `--import=${lifeline}`];
    const child = spawn(process.execPath, [...runtime, program, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // Out of reach of the terminal's Ctrl-C: the demo stops its agents itself, each once.
      detached: true,
    });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const observation = observationIn(line, name);
      if (observation !== undefined && !this.#stopping) journal.note(observation);
    });
    let lastWords = '';
    createInterface({ input: child.stderr }).on('line', (line) => {
      lastWords = `: ${line}`;
    });
    this.#child = child;
    this.#killWithUs = () => child.kill('SIGKILL');
    process.once('exit', this.#killWithUs);
    this.#ended = once(child, 'close').then(
      ([code, signal]: unknown[]) => {
        const how = signal === null ? `exit code ${code}` : `killed by ${signal}`;
        if (!this.#stopping) journal.note({ kind: 'agent-ended', agent: name, how: how + lastWords });
      },
      (error: unknown) => {
        journal.note({ kind: 'agent-ended', agent: name, how: `could not be started: ${String(error)}` });
      },
    );
    this.#ended = this.#ended.finally(() => {
      process.removeListener('exit', this.#killWithUs);
      log.end();
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGTERM');
    const impatience = setTimeout(() => this.#child.kill('SIGKILL'), stopPatienceMs);
    await this.#ended;
    clearTimeout(impatience);
  }
}
