// One program of the control plane: started, looked after, hung and killed on purpose.
import { join } from 'node:path';
import { sendRequest } from './api-client.ts';
import { readProcess, writeProcess } from './cluster-directory.ts';
import { ClusterError } from './cluster-error.ts';
import { type ClusterShape, type ComponentName, componentArguments, healthUrl } from './components.ts';
import { readCredentials } from './credentials.ts';
import {
  holdProcess,
  killProcesses,
  type ProcessRecord,
  type ProcessState,
  processState,
  signalProcess,
  startDaemon,
} from './process-guard.ts';
import { checkStillRuns, logTail, type WaitOptions, waitUntil } from './readiness.ts';

export class ControlPlaneProcess {
  readonly name: ComponentName;
  readonly #shape: ClusterShape;
  readonly #program: string;

  constructor(name: ComponentName, shape: ClusterShape, program: string) {
    this.name = name;
    this.#shape = shape;
    this.#program = program;
  }

  get logPath(): string {
    return join(this.#shape.dir, 'logs', `${this.name}.log`);
  }

  get pid(): number | undefined {
    return this.state === 'gone' ? undefined : readProcess(this.#shape.dir, this.name)?.pid;
  }

  get state(): ProcessState {
    const record = readProcess(this.#shape.dir, this.name);
    return record === undefined ? 'gone' : processState(record);
  }

  /** Starts it and returns when it says that it is well. */
  async start(options: WaitOptions = {}): Promise<void> {
    if (this.state !== 'gone') {
      throw new ClusterError(
        'wrong-state',
        `Cannot start ${this.name}: it is there already (pid ${this.pid}).`,
      );
    }
    const { dir } = this.#shape;
    const record = await startDaemon({
      command: this.#program,
      args: componentArguments(this.name, this.#shape),
      logPath: this.logPath,
    });
    writeProcess(dir, this.name, record);
    try {
      await waitUntil(
        `${this.name} to be ready`,
        async () => {
          checkStillRuns(this.name, record, this.logPath);
          return (await this.#isHealthy(options.signal)) || undefined;
        },
        options,
      );
    } catch (cause) {
      if (options.signal?.aborted || processState(record) === 'gone' || !(cause instanceof ClusterError)) {
        throw cause;
      }
      const message = `${cause.message} Its log ends so:\n${logTail(this.logPath)}`;
      throw new ClusterError('component-failed', message, { cause });
    }
  }

  /** Hangs it: the kernel takes connections, nobody answers. */
  pause(): void {
    holdProcess(this.#expect('running', 'pause'));
  }

  resume(): void {
    signalProcess(this.#expect('stopped', 'resume'), 'SIGCONT');
  }

  /** Kills it; connections are refused from then on. */
  kill(): void {
    const record = readProcess(this.#shape.dir, this.name);
    killProcesses(record === undefined ? [] : [record]);
  }

  #expect(expected: ProcessState, verb: string): ProcessRecord {
    const record = readProcess(this.#shape.dir, this.name);
    if (record === undefined || processState(record) !== expected) {
      throw new ClusterError(
        'wrong-state',
        `Cannot ${verb} ${this.name}: expected it ${expected}; it is ${this.state}.`,
      );
    }
    return record;
  }

  async #isHealthy(signal: AbortSignal | undefined): Promise<boolean> {
    const { addresses, dir } = this.#shape;
    const { ca } = readCredentials(join(dir, 'pki'), 'watcher');
    const url = healthUrl(this.name, addresses);
    return (await sendRequest({ url, credentials: { ca }, timeoutMs: 2_000, signal })).status === 200;
  }
}
