// A machine with an IPMI management controller: OpenIPMI's simulator, whose chassis power is a file that a script of ours switches.
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** What it does wrong. */
export type IpmiFault =
  /** Accepts what it is told, and never does it. */
  | 'stuck'
  /** Says that it is off, and is on. */
  | 'lying'
  | 'none';

const packages: Readonly<Record<string, string>> = {
  fence_ipmilan: 'fence-agents',
  ipmitool: 'ipmitool',
  ipmi_sim: 'openipmi',
};

/** @throws Error that says which package of Debian to install */
export function needPrograms(...names: readonly string[]): void {
  const folders = `/usr/sbin:${process.env['PATH'] ?? ''}`.split(delimiter);
  for (const name of names) {
    if (folders.some((folder) => existsSync(join(folder, name)))) continue;
    throw new Error(
      `expected the program ${name}, found none: apt-get install ${packages[name] ?? 'fence-agents'}`,
    );
  }
}

/** Runs until it is disposed of. */
export class IpmiMachine implements AsyncDisposable {
  /** Where its files are: passwords are in `admin` and `viewer`. */
  readonly folder: string;
  readonly port: number;
  readonly #simulator: ChildProcess;

  private constructor(folder: string, port: number, simulator: ChildProcess) {
    this.folder = folder;
    this.port = port;
    this.#simulator = simulator;
  }

  /** @param passwords of the users `admin`, who may switch, and `viewer`, who may look */
  static async start(passwords: { readonly admin: string; readonly viewer: string }): Promise<IpmiMachine> {
    needPrograms('ipmi_sim');
    const folder = mkdtempSync(join(tmpdir(), 'ipmi-'));
    const port = await freePort();
    mkdirSync(join(folder, 'state'));
    for (const [user, password] of Object.entries(passwords)) {
      writeFileSync(join(folder, user), `${password}\n`, { mode: 0o600 });
    }
    writeFileSync(join(folder, 'power'), 'on');
    writeFileSync(join(folder, 'lan.conf'), lanConfiguration(folder, port, passwords));
    writeFileSync(join(folder, 'sim.emu'), controller);
    writeFileSync(join(folder, 'chassis'), chassis(folder));
    chmodSync(join(folder, 'chassis'), 0o755);
    const files = [
      '-c',
      join(folder, 'lan.conf'),
      '-f',
      join(folder, 'sim.emu'),
      '-s',
      join(folder, 'state'),
    ];
    // Without a terminal it would take the end of its input for the end of its work.
    const simulator = spawn('ipmi_sim', [...files, '-n'], { cwd: folder, stdio: 'ignore' });
    const machine = new IpmiMachine(folder, port, simulator);
    await machine.#listening();
    return machine;
  }

  /** The truth. */
  get power(): string {
    return readFileSync(join(this.folder, 'power'), 'utf8').trim();
  }

  set power(power: 'on' | 'off') {
    writeFileSync(join(this.folder, 'power'), power);
  }

  set fault(fault: IpmiFault) {
    writeFileSync(join(this.folder, 'fault'), fault);
  }

  /** What its chassis was told to do, looks left out. */
  get switched(): readonly string[] {
    const calls = join(this.folder, 'calls');
    if (!existsSync(calls)) return [];
    return readFileSync(calls, 'utf8')
      .split('\n')
      .filter((call) => /^set (power|reset|shutdown)/.test(call));
  }

  /** Its controller stops answering, and does nothing of what reaches it meanwhile until it goes on. */
  hang(): void {
    this.#simulator.kill('SIGSTOP');
  }

  goOn(): void {
    this.#simulator.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#simulator.once('exit', resolve));
    this.#simulator.kill('SIGKILL');
    if (this.#simulator.exitCode === null && this.#simulator.signalCode === null) await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Its ping is answered before its users are known, so this asks the kernel. */
  async #listening(): Promise<void> {
    const hex = this.port.toString(16).toUpperCase().padStart(4, '0');
    for (let tries = 0; tries < 500; tries++) {
      if (readFileSync('/proc/net/udp', 'utf8').includes(`0100007F:${hex}`)) return;
      if (this.#simulator.exitCode !== null) break;
      await pause(10);
    }
    throw new Error(`ipmi_sim does not listen on port ${this.port}; its files are in ${this.folder}`);
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

function lanConfiguration(
  folder: string,
  port: number,
  { admin, viewer }: { readonly admin: string; readonly viewer: string },
): string {
  const levels = ['callback', 'user', 'operator', 'admin'];
  return `name "bmc"
set_working_mc 0x20
startlan 1
  addr 127.0.0.1 ${port}
  priv_limit admin
${levels.map((level) => `  allowed_auths_${level} none md2 md5 straight`).join('\n')}
  guid a123456789abcdefa123456789abcdef
endlan
chassis_control "${folder}/chassis"
user 2 true "admin" "${admin}" admin 10 none md2 md5 straight
user 3 true "viewer" "${viewer}" user 10 none md2 md5 straight
`;
}

const controller = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
`;

/** Called with `get power`, `set power 0` and the like, the number of the controller before it. */
function chassis(folder: string): string {
  return `#!/bin/sh
cd ${folder} || exit 1
case $1 in get | set) ;; *) shift ;; esac
echo "$*" >>calls
fault=$(cat fault 2>/dev/null)
what=$1
shift
while [ $# -gt 0 ]; do
  case $what:$1 in
    get:power)
      if [ "$fault" = lying ] || [ "$(cat power)" = off ]; then echo power:0; else echo power:1; fi ;;
    get:boot) echo boot:default ;;
    set:power)
      if [ "$fault" != stuck ]; then if [ "$2" = 1 ]; then echo on >power; else echo off >power; fi; fi
      shift ;;
    set:*) shift ;;
  esac
  shift
done
`;
}
