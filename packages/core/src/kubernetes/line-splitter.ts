// Cuts a stream of bytes into lines, whatever way the network cut it into chunks.

/** A single object is at most 1.5 MB in etcd; JSON and managedFields can double that, and nothing real is near this. */
const longestLineBytes = 64 * 1024 * 1024;

const lineFeed = 0x0a;

/** Thrown for bytes that are not UTF-8 and for lines without an end. */
export class LineError extends Error {
  override readonly name = 'LineError';
}

/**
 * Feed it chunks, get the lines that they complete. Works on bytes, so that a character split across two chunks stays
 * whole, and copies each byte once, so that a long line in many chunks costs no more than its length.
 */
export class LineSplitter {
  readonly #shorten: (line: Buffer) => Buffer;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #parts: Uint8Array[] = [];
  #partBytes = 0;

  /** @param shorten applied to each line before it becomes text. Default: leaves it as it is. */
  constructor(shorten: (line: Buffer) => Buffer = (line) => line) {
    this.#shorten = shorten;
  }

  /** The lines that `chunk` completes, without their line ends, blank ones left out. */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(lineFeed, start);
      if (end === -1) break;
      const line = this.#complete(chunk.subarray(start, end));
      if (line.trim() !== '') lines.push(line);
      start = end + 1;
    }
    if (start < chunk.byteLength) {
      this.#parts.push(chunk.subarray(start));
      this.#partBytes += chunk.byteLength - start;
      if (this.#partBytes > longestLineBytes) {
        throw new LineError(`a line is longer than ${longestLineBytes} bytes`);
      }
    }
    return lines;
  }

  /** What came after the last line end; `''` when the stream ended as it should. */
  rest(): string {
    return this.#complete(new Uint8Array()).trim();
  }

  #complete(tail: Uint8Array): string {
    let bytes = tail;
    if (this.#parts.length > 0) {
      this.#parts.push(tail);
      bytes = Buffer.concat(this.#parts);
      this.#parts = [];
      this.#partBytes = 0;
    }
    try {
      return this.#decoder.decode(this.#shorten(asBuffer(bytes)));
    } catch (error) {
      throw new LineError('a line is not UTF-8', { cause: error });
    }
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
