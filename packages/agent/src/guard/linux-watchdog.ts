// A watchdog as Linux has it: the device is written to, and what it says of itself is read back from sysfs.
import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { WatchdogDevice, WatchdogSettings } from '@liberator/core';
import { exitCode } from '../process/exit-code.ts';
import { FatalError, sentenceOf } from '../process/failure.ts';

export interface LinuxWatchdogOptions {
  /** The device file: `/dev/watchdog0`. */
  readonly device: string;
  /** Where sysfs is: `/sys`. */
  readonly sys: string;
  /** Whether one that is a timer of the kernel itself will do. */
  readonly allowSoftware: boolean;
}

/** As in linux/watchdog.h: closing the device disarms it only if somebody has written the magic letter before. */
const magicCloseOption = 0x01_00;
/** What softdog calls itself. */
const softwareIdentity = 'Software Watchdog';

/**
 * Node.js has no ioctl, and none is needed: a write feeds, sysfs tells the timeout that the driver really took, and whoever wants
 * another timeout gives it to the driver's module (`heartbeat=`, `soft_margin=`, ...), where it holds before anybody opens the device.
 */
export class LinuxWatchdog implements WatchdogDevice {
  /** As sysfs calls it: `watchdog0`. */
  readonly name: string;
  readonly #options: LinuxWatchdogOptions;
  readonly #folder: string;
  #file: number | undefined;

  /** @throws {@link FatalError} when there is none that could be relied on. */
  constructor(options: LinuxWatchdogOptions) {
    const name = basename(options.device);
    // The old name of the first one.
    this.name = name === 'watchdog' ? 'watchdog0' : name;
    this.#options = options;
    this.#folder = join(options.sys, 'class/watchdog', this.name);
    this.settings();
  }

  settings(): WatchdogSettings {
    const { device, allowSoftware } = this.#options;
    const timeout = this.#read('timeout');
    if (timeout === undefined) {
      throw refused(
        `there is no watchdog ${device}: ${this.#folder}/timeout can't be read; load its driver first`,
      );
    }
    const seconds = /^\d{1,7}$/.test(timeout) ? Number(timeout) : 0;
    if (seconds === 0)
      throw refused(`${device} says nothing of its timeout: found "${timeout}" in ${this.#folder}/timeout`);
    const identity = this.#read('identity') ?? '';
    if (identity === softwareIdentity) {
      if (!allowSoftware) {
        const why =
          'it is a timer of the kernel that it should reset, and a kernel that hangs may not run it';
        throw refused(
          `${device} is a software watchdog: ${why}; --allow-software-watchdog takes it all the same`,
        );
      }
      if (this.#isMuzzled())
        throw refused(`${device} never resets the machine: softdog was loaded with soft_noboot`);
    }
    const noWayOut = this.#read('nowayout');
    const hasMagicClose = (Number(this.#read('options') ?? Number.NaN) & magicCloseOption) !== 0;
    if (noWayOut !== '1' && !(noWayOut === '0' && hasMagicClose)) {
      const why = 'nobody can tell whether it would run on when its guard is killed';
      throw refused(`${device} can't be relied on: ${why}; load its driver with nowayout=1`);
    }
    return { timeoutMs: seconds * 1_000, identity, canDisarm: noWayOut === '0' };
  }

  open(): void {
    const { device } = this.#options;
    if (this.#file !== undefined) throw new Error(`expected ${device} to be closed, found it open`);
    try {
      // Never making one: a file where no device is would be fed for ever, and nobody would be reset.
      this.#file = openSync(device, constants.O_WRONLY);
    } catch (error) {
      const isBusy = error instanceof Error && 'code' in error && error.code === 'EBUSY';
      const why = isBusy
        ? 'another program holds it, such as systemd (RuntimeWatchdogSec=)'
        : sentenceOf(error);
      throw refused(`could not open ${device}: ${why}`, error);
    }
    if (!isDevice(this.#file)) {
      this.close();
      throw refused(`${device} is a file like any other, and no watchdog`);
    }
    this.feed();
  }

  feed(): void {
    this.#write('\0');
  }

  close(): void {
    if (this.#file === undefined) return;
    const file = this.#file;
    this.#file = undefined;
    closeSync(file);
  }

  disarm(): void {
    this.#write('V');
    this.close();
  }

  #write(letter: string): void {
    if (this.#file === undefined)
      throw new Error(`expected ${this.#options.device} to be open, found it closed`);
    writeSync(this.#file, letter);
  }

  #isMuzzled(): boolean {
    const said = this.#readAt(join(this.#options.sys, 'module/softdog/parameters/soft_noboot'));
    return said !== undefined && said !== '0' && said !== 'N';
  }

  #read(attribute: string): string | undefined {
    return this.#readAt(join(this.#folder, attribute));
  }

  #readAt(path: string): string | undefined {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      // What a kernel or a driver doesn't have isn't there; what that means depends on what it is.
      return undefined;
    }
  }
}

/** A named pipe stands for one where somebody tries this out. */
function isDevice(file: number): boolean {
  const stat = fstatSync(file);
  return stat.isCharacterDevice() || stat.isFIFO();
}

function refused(message: string, cause?: unknown): FatalError {
  return new FatalError(message, { code: 'LIBERATOR_WATCHDOG', exitCode: exitCode.failed, cause });
}
