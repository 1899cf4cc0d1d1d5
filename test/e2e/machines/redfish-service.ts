// Starts the Redfish service of sushy-tools in front of a machine room: a device that we did not write.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '../../../packages/core/src/testing/certificates.ts';
import { freePort } from './free-port.ts';
import type { MachineRoom } from './machine-room.ts';
import { findPython } from './python.ts';

/** A machine as its management controller knows it. */
export interface ManagedMachine {
  readonly name: string;
  /** With or without dashes. */
  readonly uuid: string;
}

/** What the agents have to know of it, before it runs. */
export class RedfishService implements AsyncDisposable {
  readonly url: string;
  readonly user = 'operator';
  readonly password: string = crypto.randomUUID();
  /** Files with what an agent mounts. */
  readonly files: { readonly username: string; readonly password: string; readonly ca: string };
  /** What it knows of, its UUIDs as it writes them. */
  machines: readonly ManagedMachine[] = [];
  readonly #folder: string;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #output = '';

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.url = `https://127.0.0.1:${port}`;
    const authority = createAuthority('machine room');
    const { key, cert } = authority.issue('bmc');
    const file = (name: string, text: string): string => {
      const path = join(folder, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    file('tls.key', key);
    file('tls.crt', cert);
    this.files = {
      username: file('username', this.user),
      password: file('password', this.password),
      ca: file('ca.crt', authority.cert),
    };
  }

  static async prepare(): Promise<RedfishService> {
    return new RedfishService(mkdtempSync(join(tmpdir(), 'liberator-redfish-')), await freePort());
  }

  /** Returns once it answers. */
  async start(room: MachineRoom, machines: readonly ManagedMachine[]): Promise<void> {
    this.machines = machines.map(({ name, uuid }) => ({ name, uuid: withDashes(uuid) }));
    const settings = join(this.#folder, 'settings.json');
    writeFileSync(
      settings,
      JSON.stringify({
        listen: this.#port,
        room: room.url,
        systems: this.machines,
        user: this.user,
        password: this.password,
        cert: join(this.#folder, 'tls.crt'),
        key: join(this.#folder, 'tls.key'),
        folder: this.#folder,
      }),
    );
    const script = join(import.meta.dirname, 'redfish_service.py');
    const child = spawn(await findPython(), [script, settings], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const endWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', endWithUs);
    child.once('exit', () => process.off('exit', endWithUs));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-20_000);
      });
    }
    const listening = (): boolean => this.#output.includes('Running on');
    for (const end = performance.now() + 30_000; !listening(); ) {
      if (child.exitCode !== null || performance.now() > end) {
        throw new Error(`the Redfish service did not start:\n${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** All that it said, with a line for each request. */
  get output(): string {
    return this.#output;
  }

  /** It takes connections and never answers, until it is resumed. */
  hang(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Nobody listens any more. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function withDashes(uuid: string): string {
  const digits = uuid.replaceAll('-', '');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
