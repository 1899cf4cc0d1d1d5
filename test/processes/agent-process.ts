// A real agent in a process of its own, started from source: what it logs, how it ends, and every signal it can get.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const entryPoint = join(root, 'packages/agent/src/main.ts');

export interface AgentProcessOptions {
  /** The text of the configuration file. */
  readonly config: string;
  /** Path of a kubeconfig file. Absent: the agent looks for a service account. */
  readonly kubeconfig?: string;
  /** A command to run it with: `['ip', 'netns', 'exec', 'node-1']`. It must become the agent, not its parent. */
  readonly within?: readonly string[];
  /** More arguments for `run`. */
  readonly args?: readonly string[];
}

/** One line on stdout. */
export interface LogEntry {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly event?: string;
  readonly [field: string]: unknown;
}

/** How the process ended: one of the two. */
export interface AgentExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class AgentProcess implements AsyncDisposable {
  /** Everything logged so far, oldest first. */
  readonly entries: LogEntry[] = [];
  /** Resolves when it has ended and all of its output is here. */
  readonly exit: Promise<AgentExit>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #stderr = '';
  #ended = false;

  /** Resolves as soon as the process exists; wait for what it logs to know more. */
  static async start(options: AgentProcessOptions): Promise<AgentProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'liberator-agent-'));
    const config = join(folder, 'liberator.yaml');
    writeFileSync(config, options.config);
    const { kubeconfig, within = [], args = [] } = options;
    const flags = ['--config', config, ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig])];
    const agent = runCommand(['run', ...flags, ...args], within);
    void agent.exit.then(() => rmSync(folder, { recursive: true, force: true }));
    await agent.#spawned();
    return agent;
  }

  /** @internal see {@link AgentProcess.start} and {@link runCommand} */
  constructor(child: ChildProcess) {
    this.#child = child;
    const endWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', endWithUs);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => this.#heard(line));
    this.exit = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        process.off('exit', endWithUs);
        this.#ended = true;
        resolve({ code, signal });
        this.#wake();
      });
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('expected a process, found none: it could not be started');
    return pid;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Still there: neither ended by itself nor killed. */
  get alive(): boolean {
    return !this.#ended;
  }

  /** Where /healthz, /readyz and /metrics are. Waits until the agent has told. */
  async url(): Promise<string> {
    const { address, port } = await this.waitFor(({ event }) => event === 'listening');
    return `http://${address === '0.0.0.0' ? '127.0.0.1' : address}:${port}`;
  }

  /**
   * The first entry that satisfies `matches`, out of those that are there and those that come.
   *
   * @param from entries before this index don't count; `entries.length` means from now on
   * @throws Error with the last lines when none comes in time, or when the process ends first
   */
  async waitFor(
    matches: (entry: LogEntry) => boolean,
    timeoutMs: number = 30_000,
    from: number = 0,
  ): Promise<LogEntry> {
    let next = from;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      for (; next < this.entries.length; next++) {
        const entry = this.entries[next];
        if (entry !== undefined && matches(entry)) return entry;
      }
      const leftMs = deadline - performance.now();
      if (this.#ended || leftMs <= 0) {
        const why = this.#ended ? 'before the agent ended' : `within ${timeoutMs} ms`;
        throw new Error(
          `expected a log line that satisfies ${matches} ${why}, found none; last lines:\n${this.lastLines(20)}`,
        );
      }
      await this.#news(leftMs);
    }
  }

  /** Sends a signal and does not wait for what comes of it: SIGSTOP, SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal that ends it, and waits for the end. */
  async kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<AgentExit> {
    if (!this.#ended) this.#child.kill(signal);
    return this.exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGKILL');
  }

  /** What it said last, for a failing test's message. */
  lastLines(count: number): string {
    const lines = this.entries.slice(-count).map(({ time, level, msg }) => `${time} ${level} ${msg}`);
    return [...lines, ...this.#stderr.trimEnd().split('\n')].join('\n').trimEnd();
  }

  #heard(line: string): void {
    this.entries.push(parsed(line));
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  async #news(limitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, limitMs);
      this.#waiting.add(wake);
    });
  }

  #spawned(): Promise<void> {
    if (this.#child.pid !== undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#child.once('spawn', resolve);
      this.#child.once('error', reject);
    });
  }
}

/** Any command of `liberator`, with any arguments. */
export function runCommand(args: readonly string[], within: readonly string[] = []): AgentProcess {
  const [program = process.execPath, ...before] = [...within, process.execPath];
  const child = spawn(program, [...before, '--conditions=@liberator/source', entryPoint, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new AgentProcess(child);
}

/** A line that isn't JSON is kept as it is: a test wants to see it, not to fail on it. */
function parsed(line: string): LogEntry {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && 'msg' in value) return value as LogEntry;
  } catch {
    // Help text, or a line in the format for people.
  }
  return { level: '', time: '', msg: line };
}
