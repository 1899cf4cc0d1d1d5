// Two test files that start a cluster at once must take turns, and a dead one must not keep the other waiting.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { withLock } from './lock.ts';

let count = 0;
const newName = (): string => `test-${process.pid}-${count++}`;

describe.runIf(process.platform === 'linux')('a lock', () => {
  it('lets one in at a time, and everybody in the end', async () => {
    const name = newName();
    let inside = 0;
    let most = 0;
    const done = await Promise.all(
      Array.from({ length: 8 }, async (_, index) =>
        withLock(name, async () => {
          inside += 1;
          most = Math.max(most, inside);
          await new Promise((resolve) => setTimeout(resolve, 5));
          inside -= 1;
          return index;
        }),
      ),
    );
    expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(1);
  });

  it('does not keep apart what has different names', async () => {
    const other = newName();
    const both = await withLock(newName(), async () => withLock(other, async () => 'both'));
    expect(both).toBe('both');
  });

  it('is free again after the work has failed', async () => {
    const name = newName();
    await expect(
      withLock(name, async () => {
        throw new Error('on purpose');
      }),
    ).rejects.toThrow('on purpose');
    expect(await withLock(name, async () => 'free')).toBe('free');
  });

  it('is not waited for once the wait is aborted', async () => {
    const name = newName();
    const abort = new AbortController();
    await withLock(name, async () => {
      const waiting = withLock(name, async () => 'never', {
        signal: abort.signal,
        onWait: () => {
          setTimeout(() => {
            abort.abort(new Error('enough'));
          }, 10);
        },
      });
      await expect(waiting).rejects.toThrow('enough');
    });
  });

  it('is free again when its holder is killed', async () => {
    const name = newName();
    const holder = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { withLock } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)};
         await withLock(${JSON.stringify(name)}, async () => {
           console.log('held');
           await new Promise((resolve) => setTimeout(resolve, 60_000));
         });`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(holder.stdout, 'data');
    const waits: string[] = [];
    const result = await withLock(name, async () => 'mine', {
      onWait: () => {
        waits.push('waited');
        holder.kill('SIGKILL');
      },
    });
    expect(result).toBe('mine');
    expect(waits).toEqual(['waited']);
  });
});
