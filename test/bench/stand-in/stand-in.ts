// The stand-in as a child process, and its desk as functions.
import type { ChildProcess } from 'node:child_process';
import { endChild, firstLineOf, startChild } from '../../processes/child.ts';
import type { DeathFigures, ElectionFigures, StandInFigures } from './desk.ts';
import type { StandInAddress } from './main.ts';

const program = new URL('main.ts', import.meta.url).pathname;

export class StandIn implements AsyncDisposable {
  readonly address: StandInAddress;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, address: StandInAddress) {
    this.#child = child;
    this.address = address;
  }

  /** Resolves once it serves. @param args as on its command line: `['--nodes', '100']` */
  static async start(args: readonly string[]): Promise<StandIn> {
    const command = ['--conditions=@liberator/source', program, ...args];
    const env = { ...process.env, LIBERATOR_ENDS_WITH_PARENT: '1' };
    const child = startChild(process.execPath, command, { env }, 'SIGTERM');
    return new StandIn(child, JSON.parse(await firstLineOf(child)) as StandInAddress);
  }

  /** Counts everything anew from now on. */
  async reset(): Promise<void> {
    await this.#ask('POST', '/reset');
  }

  figures(): Promise<StandInFigures> {
    return this.#ask('GET', '/figures') as Promise<StandInFigures>;
  }

  election(): Promise<ElectionFigures> {
    return this.#ask('GET', '/election') as Promise<ElectionFigures>;
  }

  deaths(): Promise<DeathFigures> {
    return this.#ask('GET', '/deaths') as Promise<DeathFigures>;
  }

  /** How many hosts somebody has connected to at least so often. */
  async asked(times = 1): Promise<number> {
    const { hosts } = (await this.#ask('GET', `/asked?times=${times}`)) as { readonly hosts: number };
    return hosts;
  }

  /** So many nodes die in one moment, spread over the fleet; returns their names. */
  async kill(count: number): Promise<readonly string[]> {
    const { died } = (await this.#ask('POST', `/die?count=${count}`)) as { readonly died: readonly string[] };
    return died;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endChild(this.#child);
  }

  async #ask(method: string, path: string): Promise<unknown> {
    const response = await fetch(this.address.desk + path, { method });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${String(answer)}`);
    return answer;
  }
}
