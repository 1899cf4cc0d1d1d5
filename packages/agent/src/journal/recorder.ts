// Writes the facts that come in into a file, beside the loop that they come in by: what can't be written in time is counted and
// left out, and nobody waits for a disk.
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import {
  type Clock,
  type Controller,
  type Fact,
  type JournalEntry,
  journalHeadLine,
  journalLine,
  systemClock,
  type TimerHandle,
} from '@liberator/core';
import { exitCode } from '../process/exit-code.ts';
import { FatalError, sentenceOf } from '../process/failure.ts';

export interface RecorderOptions {
  /** The newest part is here, older ones beside it: `FILE.1`, `FILE.2`. */
  readonly file: string;
  /** How large a file may become, in bytes; one that begins with a large fleet, twice what it begins with. */
  readonly size: number;
  /** How many files there are at most, the one that is written to included. */
  readonly keep: number;
  /** The version of this program. */
  readonly program: string;
  /** Called once, when nothing is recorded any more though nobody asked for that. */
  readonly onEnd: (error: unknown) => void;
  /** Called when so many facts could not be written. */
  readonly onGap: (facts: number) => void;
  readonly clock?: Clock;
  /** So many bytes may wait to be written. Default 16 MiB. */
  readonly mostWaiting?: number;
  /** Default: opens it anew, with what lies there made older by one. */
  readonly openAnew?: (options: Pick<RecorderOptions, 'file' | 'keep'>) => Promise<FileHandle>;
}

/** What is recorded. */
export type Recorded = Pick<Controller, 'journalHead' | 'journalSnapshot'>;

const defaultMostWaiting = 16 * 2 ** 20;

/** Facts of so long are written together. */
const togetherMs = 250;

/** So many lines are made of what is known before others may have their turn. */
const linesATurn = 200;

export class Recorder implements AsyncDisposable {
  readonly #options: RecorderOptions;
  readonly #clock: Clock;
  #handle: FileHandle;
  #recorded: Recorded | undefined;
  #part = 0;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** Facts that were left out since the last line. */
  #lost = 0;
  #written = 0;
  #limit: number;
  #timer: TimerHandle | undefined;
  #writing: Promise<void> | undefined;
  #ended = false;

  /**
   * Opens the file; what an earlier life left there is kept as an older one.
   *
   * @throws {@link FatalError} when it can't be written.
   */
  static async open(options: RecorderOptions): Promise<Recorder> {
    try {
      return new Recorder(options, await (options.openAnew ?? openAnew)(options));
    } catch (error) {
      throw new FatalError(`could not write the journal ${options.file}: ${sentenceOf(error)}`, {
        code: 'LIBERATOR_JOURNAL',
        exitCode: exitCode.usage,
        cause: error,
      });
    }
  }

  private constructor(options: RecorderOptions, handle: FileHandle) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#handle = handle;
    this.#limit = options.size;
  }

  /** Nothing is recorded any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** To be called before any fact comes in. */
  begin(recorded: Recorded): void {
    this.#recorded = recorded;
    this.#part = 1;
    this.#add(journalHeadLine(recorded.journalHead({ program: this.#options.program, part: 1 })));
  }

  /** Never waits, and never throws. */
  note(fact: Fact, at: number): void {
    if (this.#ended) return;
    // What comes after a gap is of no use before it is known anew what came in it.
    if (this.#lost > 0) this.#lost++;
    else this.#add(journalLine({ kind: 'fact', at, fact }));
  }

  /** Writes what waits, and lets go of the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#clock.clearTimeout(this.#timer);
    await this.#writing;
    if (!this.#ended) await this.#write();
    this.#ended = true;
    await this.#handle.close().catch(() => {});
  }

  #add(line: string): void {
    if (this.#waitingBytes + line.length > (this.#options.mostWaiting ?? defaultMostWaiting)) {
      this.#lost++;
    } else {
      this.#waiting.push(line);
      this.#waitingBytes += line.length;
    }
    if (this.#timer !== undefined || this.#writing !== undefined) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
      });
    }, togetherMs);
  }

  #take(): string {
    const text = this.#waiting.map((line) => `${line}\n`).join('');
    this.#waiting = [];
    this.#waitingBytes = 0;
    return text;
  }

  /** Until nothing waits any more. What fails ends the recording, not the agent. */
  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0 || this.#lost > 0) {
        await this.#append(this.#take());
        if (this.#lost > 0) await this.#tellGap();
        if (this.#written >= this.#limit) await this.#rotate();
      }
    } catch (error) {
      this.#ended = true;
      this.#take();
      this.#options.onEnd(error);
    }
  }

  async #append(text: string): Promise<void> {
    if (text === '') return;
    await this.#handle.appendFile(text);
    this.#written += Buffer.byteLength(text);
  }

  async #tellGap(): Promise<void> {
    // From here to the snapshot nothing is waited for, so that it is what is known between two facts.
    const before = this.#take();
    const facts = this.#lost;
    this.#lost = 0;
    const gap = journalLine({ kind: 'gap', at: this.#clock.now(), facts });
    const known = this.#recorded?.journalSnapshot() ?? [];
    await this.#append(`${before}${gap}\n`);
    this.#options.onGap(facts);
    await this.#appendKnown(known);
  }

  async #rotate(): Promise<void> {
    const before = this.#take();
    const { program } = this.#options;
    this.#part++;
    const head = this.#recorded?.journalHead({ program, part: this.#part });
    const known = this.#recorded?.journalSnapshot() ?? [];
    await this.#append(before);
    await this.#handle.close();
    this.#handle = await (this.#options.openAnew ?? openAnew)(this.#options);
    this.#written = 0;
    if (head !== undefined) await this.#append(`${journalHeadLine(head)}\n`);
    await this.#appendKnown(known);
    this.#limit = Math.max(this.#options.size, 2 * this.#written);
  }

  /** Bit by bit: of a large fleet it is much, and others must have their turn. */
  async #appendKnown(known: Iterable<JournalEntry>): Promise<void> {
    let lines: string[] = [];
    for (const entry of known) {
      lines.push(`${journalLine(entry)}\n`);
      if (lines.length < linesATurn) continue;
      await this.#append(lines.join(''));
      lines = [];
    }
    await this.#append(lines.join(''));
  }
}

/** What lies there already becomes older by one. Nobody but us may read it. */
async function openAnew({ file, keep }: Pick<RecorderOptions, 'file' | 'keep'>): Promise<FileHandle> {
  // Before anything is moved away: a folder that can't be written to keeps what is there.
  await (await open(file, 'a', 0o600)).close();
  const older = (age: number): string => (age === 0 ? file : `${file}.${age}`);
  await rm(older(keep - 1), { force: true });
  for (let age = keep - 2; age >= 0; age--) await renameIfThere(older(age), older(age + 1));
  return open(file, 'wx', 0o600);
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
