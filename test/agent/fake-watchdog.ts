// A watchdog made of a named pipe and a folder that looks like sysfs, and the machine that it resets.
import { execFileSync } from 'node:child_process';
import { constants, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FakeWatchdogOptions {
  readonly bootId?: string;
  /** In whole seconds. Default 2. */
  readonly timeout?: number;
  /** Attributes of sysfs that are other than usual; null: not there. */
  readonly attributes?: Readonly<Record<string, string | null>>;
}

/** What came through the pipe, and when. */
export interface Fed {
  readonly letters: string;
  /** As `performance.now()`. */
  readonly at: number;
}

export class FakeWatchdog implements Disposable {
  readonly device: string;
  readonly folder: string;
  readonly fed: Fed[] = [];
  /** Called when it bites: longer than its timeout without a feed. */
  onBite: () => void = () => undefined;
  /** Called for the letter that disarms it, right when it comes. */
  onDisarm: () => void = () => undefined;
  bites = 0;
  readonly #timeoutMs: number;
  readonly #file: number;
  readonly #socket: Socket;
  #timer: NodeJS.Timeout | undefined;

  constructor({ bootId = 'boot-1', timeout = 2, attributes = {} }: FakeWatchdogOptions = {}) {
    this.#timeoutMs = timeout * 1_000;
    this.folder = mkdtempSync(join(tmpdir(), 'liberator-watchdog-'));
    this.device = join(this.folder, 'watchdog0');
    const sysfs = join(this.folder, 'sys/class/watchdog/watchdog0');
    const random = join(this.folder, 'proc/sys/kernel/random');
    for (const folder of [sysfs, random]) mkdirSync(folder, { recursive: true });
    const usual = {
      timeout: String(timeout),
      identity: 'Fake',
      nowayout: '0',
      options: '0x8180',
      state: 'inactive',
    };
    for (const [name, value] of Object.entries({ ...usual, ...attributes })) {
      if (value !== null) writeFileSync(join(sysfs, name), `${value}\n`);
    }
    writeFileSync(join(random, 'boot_id'), `${bootId}\n`);
    execFileSync('mkfifo', [this.device]);
    // For reading and writing: it then waits for nobody, and goes on when the other end closes.
    this.#file = openSync(this.device, constants.O_RDWR | constants.O_NONBLOCK);
    this.#socket = new Socket({ fd: this.#file, readable: true, writable: false });
    this.#socket.on('data', (bytes) => this.#heard(bytes.toString('latin1')));
  }

  /** Arguments of `liberator guard`. */
  get args(): readonly string[] {
    const { device, folder } = this;
    return ['--device', device, '--sys', join(folder, 'sys'), '--proc', join(folder, 'proc')];
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The machine is gone, or the device was closed: see what Linux makes of that. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #heard(letters: string): void {
    this.fed.push({ letters, at: performance.now() });
    clearTimeout(this.#timer);
    if (letters.endsWith('V')) {
      this.onDisarm();
      return;
    }
    this.#timer = setTimeout(() => {
      this.bites += 1;
      this.onBite();
    }, this.#timeoutMs);
  }
}
