// Reads credentials from mounted files anew at each use, and keeps them out of everything that is told.
import { open } from 'node:fs/promises';

/** What stands in the place of a secret. */
const instead = '[redacted]';

/** Longer is no password, key or token. */
const longestSecretBytes = 16_384;

/** Shorter ones occur in any text: taking them out would tell more than it hides. */
const shortestSecret = 4;

/** A secret that can't be used; says which file, and never what is in it. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
  /** Tells it from other errors. */
  readonly code = 'LIBERATOR_SECRET';
}

/**
 * Secrets of one fencer. Each is read from its file whenever it is used, since Kubernetes renews mounted Secrets in place; what
 * was read is remembered to be taken out of any text that leaves the fencer, also in the encodings in which it may appear there.
 */
export class Secrets {
  readonly #seen = new Set<string>();

  /**
   * What is in the file, without the line break at its end.
   *
   * @throws {@link SecretError} when there is no such file, or it is empty, too long, or holds several lines.
   */
  async read(path: string): Promise<string> {
    const text = (await contentOf(path)).replace(/\r?\n$/, '');
    if (text === '') throw new SecretError(`${path} is empty`);
    if (/[\r\n\0]/.test(text)) throw new SecretError(`${path} holds more than one line`);
    this.remember(text);
    return text;
  }

  /** Takes `secret` for one from now on, such as a token that was made from one. */
  remember(secret: string): void {
    if (secret.length < shortestSecret) return;
    for (const form of formsOf(secret)) this.#seen.add(form);
  }

  /** The text with everything that ever was a secret of this fencer taken out. */
  redact(text: string): string {
    // The longest first: one may be part of another.
    const seen = [...this.#seen].sort((a, b) => b.length - a.length);
    return seen.reduce((left, secret) => left.replaceAll(secret, instead), text);
  }
}

async function contentOf(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const buffer = Buffer.alloc(longestSecretBytes + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead <= longestSecretBytes) return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an unknown error';
    throw new SecretError(`${path} cannot be read: ${code}`);
  }
  throw new SecretError(`${path} is longer than ${longestSecretBytes} bytes`);
}

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    ...new Set([
      secret,
      json,
      encodeURIComponent(secret),
      bytes.toString('base64'),
      bytes.toString('base64url'),
      bytes.toString('hex'),
    ]),
  ];
}
