// One `liberator elect` in a process of its own, and what it says of who leads.
import { setTimeout as pause } from 'node:timers/promises';
import { type AgentProcess, runCommand } from '../processes/agent-process.ts';

export interface SidecarOptions {
  readonly id: string;
  readonly kubeconfig: string;
  /** As on the command line. */
  readonly ttl: string;
  readonly namespace?: string;
  /** Default "cart". */
  readonly election?: string;
}

/** What a sidecar answers to `GET /`. */
export interface Told {
  readonly name: string;
  readonly last_update: string;
  readonly isLeader: boolean;
  readonly term: number | null;
}

export class Sidecar implements AsyncDisposable {
  readonly id: string;
  readonly process: AgentProcess;
  readonly url: string;

  /** Returns once it listens. */
  static async start(options: SidecarOptions): Promise<Sidecar> {
    const { id, kubeconfig, ttl, namespace, election = 'cart' } = options;
    const flags = ['--election', election, '--id', id, '--ttl', ttl, '--http', '127.0.0.1:0'];
    const where = namespace === undefined ? [] : ['--election-namespace', namespace];
    const process = runCommand(['elect', ...flags, ...where, '--kubeconfig', kubeconfig]);
    try {
      return new Sidecar(id, process, await process.url());
    } catch (error) {
      await process.kill('SIGKILL');
      throw error;
    }
  }

  private constructor(id: string, process: AgentProcess, url: string) {
    this.id = id;
    this.process = process;
    this.url = url;
  }

  /** What it answers at this moment: false as well when it does not. */
  async leads(): Promise<boolean> {
    if (!this.process.alive) return false;
    const { status } = await fetch(`${this.url}/leader`, { signal: AbortSignal.timeout(1_000) }).catch(
      () => ({ status: undefined }),
    );
    return status === 200;
  }

  async page(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(this.url + path);
    return { status: response.status, text: await response.text() };
  }

  async told(): Promise<Told> {
    return (await (await fetch(this.url)).json()) as Told;
  }

  /** Waits until it says that it leads. */
  async untilItLeads(): Promise<void> {
    await until(`${this.id} leads`, () => this.leads(), [this]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.kill('SIGKILL');
  }
}

/** @throws Error with what is awaited and what the sidecars said last */
export async function until(
  what: string,
  reached: () => boolean | Promise<boolean>,
  sidecars: readonly Sidecar[],
  limitMs: number = 30_000,
): Promise<void> {
  for (const deadline = performance.now() + limitMs; !(await reached()); await pause(20)) {
    if (performance.now() < deadline) continue;
    const said = sidecars.map(({ id, process }) => `${id}:\n${process.lastLines(10)}`).join('\n');
    throw new Error(`waited ${limitMs} ms in vain until ${what}\n${said}`);
  }
}

/** The one that leads, once one does. */
export async function leaderOf(sidecars: readonly Sidecar[]): Promise<Sidecar> {
  let leader: Sidecar | undefined;
  const oneLeads = async (): Promise<boolean> => {
    const answers = await Promise.all(sidecars.map((sidecar) => sidecar.leads()));
    leader = sidecars[answers.indexOf(true)];
    return leader !== undefined;
  };
  await until('one of them leads', oneLeads, sidecars);
  if (leader === undefined) throw new Error('it led and is gone');
  return leader;
}
