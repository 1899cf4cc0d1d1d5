// Many who ask for the same thing at once.
import { describe, expect, it } from 'vitest';
import { SharedRead } from './shared-read.ts';

function slowRead(): {
  readonly shared: SharedRead<number>;
  readonly answers: ((answer: number | Error) => void)[];
} {
  const answers: ((answer: number | Error) => void)[] = [];
  const shared = new SharedRead(
    () =>
      new Promise<number>((resolve, reject) => {
        answers.push((answer) => (typeof answer === 'number' ? resolve(answer) : reject(answer)));
      }),
  );
  return { shared, answers };
}

describe('a shared read', () => {
  it('answers those who ask while one is under way by the next one, which all of them share', async () => {
    const { shared, answers } = slowRead();
    const first = shared.ask();
    const later = [shared.ask(), shared.ask(), shared.ask()];
    expect(answers).toHaveLength(1);
    answers[0]?.(1);
    expect(await first).toBe(1);
    await Promise.resolve();
    expect(answers).toHaveLength(2);
    answers[1]?.(2);
    expect(await Promise.all(later)).toEqual([2, 2, 2]);
  });

  it('reads anew for whoever asks when none is under way', async () => {
    const { shared, answers } = slowRead();
    const first = shared.ask();
    answers[0]?.(1);
    await first;
    const second = shared.ask();
    answers[1]?.(2);
    expect(await second).toBe(2);
  });

  it('fails for those who shared it, and not for those who ask later', async () => {
    const { shared, answers } = slowRead();
    const first = shared.ask();
    const next = shared.ask();
    answers[0]?.(new Error('no'));
    await expect(first).rejects.toThrow('no');
    await Promise.resolve();
    answers[1]?.(2);
    expect(await next).toBe(2);
  });
});
