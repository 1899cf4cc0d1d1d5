// Shows a drain while it goes on: lines that are redrawn on a terminal, plain lines anywhere else.
import { type DrainProgress, systemClock, type TimerHandle } from '@liberator/core';
import type { OutputStream } from '../text/output.ts';
import { DrainBoard, plainLine } from './board.ts';

export interface DrainDisplay extends Disposable {
  hear(progress: DrainProgress): void;
}

const redrawEveryMs = 500;

/** Disposing of it leaves the last picture standing. */
export function openDrainDisplay(node: string, stream: OutputStream): DrainDisplay {
  return stream.isTTY === true ? new LiveDisplay(node, stream) : plainDisplay(node, stream);
}

function plainDisplay(node: string, stream: OutputStream): DrainDisplay {
  let last: string | undefined;
  return {
    hear(progress) {
      const line = plainLine(node, progress);
      // What is tried again and again is said once.
      if (line !== undefined && line !== last) stream.write(`${line}\n`);
      last = line;
    },
    [Symbol.dispose]() {},
  };
}

class LiveDisplay implements DrainDisplay {
  readonly #stream: OutputStream;
  readonly #board: DrainBoard;
  readonly #startedAt = performance.now();
  #timer: TimerHandle | undefined;
  #drawn = 0;
  #ended = false;

  constructor(node: string, stream: OutputStream) {
    this.#stream = stream;
    this.#board = new DrainBoard(node);
    this.#drawLater();
  }

  hear(progress: DrainProgress): void {
    this.#board.hear(progress);
    this.#draw();
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    systemClock.clearTimeout(this.#timer);
    this.#draw();
  }

  #drawLater(): void {
    this.#timer = systemClock.setTimeout(() => {
      this.#draw();
      this.#drawLater();
    }, redrawEveryMs);
  }

  #draw(): void {
    const { columns = 80, rows = 24 } = this.#stream;
    const lines = this.#board.lines(performance.now() - this.#startedAt, columns, rows);
    // Up to where the last picture began, and away with all below it.
    const back = this.#drawn === 0 ? '' : `\u001B[${this.#drawn}F\u001B[0J`;
    this.#drawn = lines.length;
    this.#stream.write(`${back}${lines.join('\n')}\n`);
  }
}
