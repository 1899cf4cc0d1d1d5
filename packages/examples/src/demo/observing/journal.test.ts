import { describe, expect, it } from 'vitest';
import { Journal, latest } from './journal.ts';

const patient = { timeoutMs: 5_000, signal: new AbortController().signal };

describe('waiting for something in the journal', () => {
  it('ends at once when it is there already', async () => {
    const journal = new Journal();
    journal.note({ kind: 'heartbeat', node: 'node-1' });
    expect(await journal.until('it beats', (entries) => latest(entries, 'heartbeat')?.node, patient)).toBe(
      'node-1',
    );
  });

  it('ends with the entry that brings it', async () => {
    const journal = new Journal();
    const waiting = journal.until(
      'node-2 beats',
      (entries) => latest(entries, 'heartbeat', ({ node }) => node === 'node-2'),
      patient,
    );
    journal.note({ kind: 'heartbeat', node: 'node-1' });
    journal.note({ kind: 'heartbeat', node: 'node-2' });
    expect(await waiting).toMatchObject({ node: 'node-2' });
  });

  it('fails with what was waited for when it does not come in time', async () => {
    const waiting = new Journal().until('pigs flew', () => undefined, { ...patient, timeoutMs: 10 });
    await expect(waiting).rejects.toThrow('in vain until pigs flew');
  });

  it('fails with the reason of an abort, before and while it waits', async () => {
    const abort = new AbortController();
    const journal = new Journal();
    const waiting = journal.until('ever', () => undefined, { timeoutMs: 5_000, signal: abort.signal });
    abort.abort(new Error('stop it'));
    await expect(waiting).rejects.toThrow('stop it');
    const late = journal.until('ever', () => true, { timeoutMs: 5_000, signal: abort.signal });
    await expect(late).rejects.toThrow('stop it');
  });

  it('fails with what the look throws', async () => {
    const journal = new Journal();
    const waiting = journal.until(
      'ever',
      (entries) => {
        if (entries.length > 0) throw new Error('hopeless');
        return undefined;
      },
      patient,
    );
    journal.note({ kind: 'heartbeat', node: 'node-1' });
    await expect(waiting).rejects.toThrow('hopeless');
  });
});
