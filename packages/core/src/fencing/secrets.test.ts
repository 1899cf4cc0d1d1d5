// Secrets are as new as their files, and appear in nothing that is told.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretError, Secrets } from './secrets.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secrets-'));
});
afterEach(() => rm(folder, { recursive: true }));

const put = async (text: string | Buffer): Promise<string> => {
  const path = join(folder, 'password');
  await writeFile(path, text);
  return path;
};

describe('a secret in a file', () => {
  it('is read anew at each use, without the line break at its end', async () => {
    const secrets = new Secrets();
    expect(await secrets.read(await put('first one\n'))).toBe('first one');
    expect(await secrets.read(await put('second'))).toBe('second');
    expect(secrets.redact('first one, second, third')).toBe('[redacted], [redacted], third');
  });

  it.each([
    ['', 'is empty'],
    ['\n', 'is empty'],
    ['a\nb\n', 'holds more than one line'],
    ['x'.repeat(16_385), 'is longer than 16384 bytes'],
  ])('that cannot be one is refused without being told', async (text, why) => {
    await expect(new Secrets().read(await put(text))).rejects.toThrow(
      new SecretError(`${join(folder, 'password')} ${why}`),
    );
  });

  it('that is not there is named by its file', async () => {
    await expect(new Secrets().read(join(folder, 'none'))).rejects.toThrow(/none cannot be read: ENOENT$/);
  });

  it('is taken out in every encoding in which it may come back', async () => {
    const secrets = new Secrets();
    const secret = await secrets.read(await put('p"ä /+?word'));
    const bytes = Buffer.from(secret);
    const forms = [
      secret,
      JSON.stringify(secret),
      encodeURIComponent(secret),
      bytes.toString('base64'),
      bytes.toString('hex'),
    ];
    for (const form of forms) expect(secrets.redact(`<${form}>`)).not.toContain(form.slice(2, -2));
  });

  it('is taken out whole where another one is part of it', async () => {
    const secrets = new Secrets();
    secrets.remember('pass');
    secrets.remember('password');
    expect(secrets.redact('a password')).toBe('a [redacted]');
  });

  it('that is as short as any word leaves texts readable', () => {
    const secrets = new Secrets();
    secrets.remember('on');
    expect(secrets.redact('PowerState on')).toBe('PowerState on');
  });
});
