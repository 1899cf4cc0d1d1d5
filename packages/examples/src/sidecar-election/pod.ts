// What one pod of the manifest is made of, as two processes on this machine: the sidecar, and the work beside it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DemoFailure } from '../demo/failure.ts';

const program = fileURLToPath(import.meta.resolve('@liberator/agent/src/main.ts'));
const script = fileURLToPath(new URL('./while-leading.sh', import.meta.url));
const lifeline = new URL('../demo/agents/lifeline.ts', import.meta.url).href;

/** What the work does each time: a line that names the term, as its output. */
const work = ['sh', '-c', 'echo "report in term $LEADER_TERM"'];

/** Stock settings would make a story of a minute and more. */
const ttl = '3s';
const pauseSeconds = '0.5';

export interface PodOptions {
  readonly name: string;
  readonly kubeconfig: string;
  readonly election: string;
  /** Called with each line that the work prints. */
  readonly onLine: (line: string) => void;
}

export class Pod implements AsyncDisposable {
  readonly name: string;
  readonly #sidecar: Child;
  readonly #work: Child;

  /** Returns once the sidecar listens, and the work has begun to ask it. */
  static async start(options: PodOptions): Promise<Pod> {
    const { name, kubeconfig, election, onLine } = options;
    const flags = ['--election', election, '--id', name, '--ttl', ttl, '--http', '127.0.0.1:0'];
    const runtime = [...process.execArgv, `--import=${lifeline}`];
    const sidecar = new Child([
      process.execPath,
      ...runtime,
      program,
      'elect',
      ...flags,
      '--kubeconfig',
      kubeconfig,
    ]);
    try {
      const url = await listening(sidecar);
      const child = new Child(['sh', script, pauseSeconds, ...work], { SIDECAR: url });
      child.onLine(onLine);
      return new Pod(name, sidecar, child);
    } catch (error) {
      await sidecar.end('SIGKILL');
      throw error;
    }
  }

  private constructor(name: string, sidecar: Child, work: Child) {
    this.name = name;
    this.#sidecar = sidecar;
    this.#work = work;
  }

  /** As when its node loses power. */
  async crash(): Promise<void> {
    await Promise.all([this.#sidecar.end('SIGKILL'), this.#work.end('SIGKILL')]);
  }

  /** As a kubelet ends a pod with a native sidecar: the work first, and then what it relies on. */
  async delete(): Promise<void> {
    await this.#work.end('SIGTERM');
    await this.#sidecar.end('SIGTERM');
  }

  /** Its sidecar stands still, as on a machine that hangs. */
  freeze(): void {
    this.#sidecar.signal('SIGSTOP');
  }

  thaw(): void {
    this.#sidecar.signal('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.crash();
  }
}

/** Where the sidecar listens, out of what it logs. */
async function listening(sidecar: Child): Promise<string> {
  return new Promise((resolve, reject) => {
    sidecar.onLine((line) => {
      const { event, address, port } = JSON.parse(line);
      if (event === 'listening') resolve(`http://${address}:${port}`);
    });
    void sidecar.ended.then(() => reject(new DemoFailure(`a sidecar could not start: ${sidecar.lastWords}`)));
  });
}

class Child {
  readonly ended: Promise<unknown>;
  lastWords = 'it said nothing';
  readonly #child: ChildProcess;

  constructor([command = '', ...args]: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      // Out of reach of the terminal's Ctrl-C: the example ends its pods itself.
      detached: true,
    });
    const killWithUs = (): void => void this.#child.kill('SIGKILL');
    process.once('exit', killWithUs);
    this.ended = once(this.#child, 'close').catch((error: unknown) => {
      this.lastWords = String(error);
    });
    void this.ended.then(() => process.removeListener('exit', killWithUs));
    if (this.#child.stderr !== null) {
      createInterface({ input: this.#child.stderr }).on('line', (line) => {
        this.lastWords = line;
      });
    }
  }

  onLine(listener: (line: string) => void): void {
    if (this.#child.stdout !== null) createInterface({ input: this.#child.stdout }).on('line', listener);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#child.kill(signal);
    await this.ended;
  }
}
