// The agent as users run it, the bundle with the flags of its image, in a process of its own that is measured from outside.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { readDockerfile, wholeStage } from '../../deploy/dockerfile.ts';
import { AgentProcess } from '../../processes/agent-process.ts';
import { startChild } from '../../processes/child.ts';
import { cpuMsOf, rssMiBOf } from '../proc.ts';

const inside = new URL('inside.mjs', import.meta.url).pathname;

let made: string | undefined;

/** The bundle of the source as it is now, made once, in a folder of its own: others may be making theirs. */
function bundle(): string {
  if (made !== undefined) return made;
  const folder = mkdtempSync(join(tmpdir(), 'liberator-bundle-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  execFileSync(process.execPath, ['scripts/bundle/main.ts', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  made = join(folder, 'liberator.mjs');
  return made;
}

export interface MeasuredAgentOptions {
  readonly kubeconfig: string;
  /** Beside what every agent here has. */
  readonly config?: object;
  readonly identity: string;
}

export class MeasuredAgent implements AsyncDisposable {
  readonly process: AgentProcess;
  readonly identity: string;
  readonly #child: ReturnType<typeof startChild>;

  private constructor(child: ReturnType<typeof startChild>, identity: string) {
    this.#child = child;
    this.process = new AgentProcess(child);
    this.identity = identity;
  }

  /** Makes what {@link MeasuredAgent.start} needs, which takes a second or two: before a clock is started. */
  static prepare(): void {
    bundle();
  }

  /** Resolves as soon as the process exists; see {@link MeasuredAgent.ready}. */
  static start({ kubeconfig, config = {}, identity }: MeasuredAgentOptions): MeasuredAgent {
    const folder = mkdtempSync(join(tmpdir(), 'liberator-bench-'));
    const file = join(folder, 'liberator.yaml');
    writeFileSync(
      file,
      stringify({ namespace: 'liberator', identity, http: { address: '127.0.0.1', port: 0 }, ...config }),
    );
    const { flags, env } = imageSettings();
    const args = [
      ...flags,
      '--import',
      inside,
      bundle(),
      'run',
      '--config',
      file,
      '--kubeconfig',
      kubeconfig,
    ];
    const child = startChild(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...env },
    });
    const agent = new MeasuredAgent(child, identity);
    void agent.process.exit.then(() => rmSync(folder, { recursive: true, force: true }));
    return agent;
  }

  /** Resolves with the milliseconds that it has taken since `startedAt`. */
  async ready(startedAt: number, limitMs: number): Promise<number> {
    await this.process.waitFor(({ event }) => event === 'ready', limitMs);
    return performance.now() - startedAt;
  }

  /** @throws Error with its last words when it has ended */
  get cpuMs(): number {
    this.#assertAlive();
    return cpuMsOf(this.process.pid);
  }

  /** @throws Error with its last words when it has ended */
  get rssMiB(): number {
    this.#assertAlive();
    return rssMiBOf(this.process.pid);
  }

  /** From now on; the watching itself costs some tenths of a percent of a core. @throws Error when it has ended */
  watchStalls(): void {
    this.#assertAlive();
    // That it ends in this very moment shows when it is asked.
    this.#child.send('watch stalls', () => undefined);
  }

  /** The longest stall of its event loop since, in milliseconds; ends the watching. @throws Error when it has ended */
  longestStall(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#assertAlive();
      const onEnd = (): void => reject(this.#endedError());
      this.#child.once('close', onEnd);
      this.#child.once('message', (message: { readonly stallMs: number }) => {
        this.#child.off('close', onEnd);
        resolve(message.stallMs);
      });
      this.#child.send('tell stalls', () => undefined);
    });
  }

  #endedError(): Error {
    const words = this.process.lastLines(3);
    return new Error(`${this.identity} ended while it was measured; its last words:\n${words}`);
  }

  #assertAlive(): void {
    if (!this.process.alive) throw this.#endedError();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
  }
}

/** How the image starts Node.js: what its users get is what is measured. */
export function imageSettings(text: string = readFileSync('packages/agent/Dockerfile', 'utf8')): {
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const stages = readDockerfile(text);
  const last = stages.at(-1);
  const steps = last === undefined ? [] : wholeStage(stages, last);
  const entry = steps.findLast(({ instruction }) => instruction === 'ENTRYPOINT')?.text ?? '[]';
  const words = JSON.parse(entry) as readonly string[];
  const end = words.findIndex((word) => word.endsWith('.mjs'));
  const env = Object.fromEntries(
    steps
      .filter(({ instruction }) => instruction === 'ENV')
      .flatMap(({ text: pairs }) => [...pairs.matchAll(/(\w+)=(?:"([^"]*)"|(\S+))/g)])
      .map(([, name = '', quoted, bare]) => [name, quoted ?? bare ?? '']),
  );
  return { flags: words.slice(1, end), env };
}
