// Deliberate defects of self-fencing, each of which the stories have to notice.
import type { Edit } from '../world/replica.ts';

export interface SelfFencingDefect {
  readonly name: string;
  /** What is wrong, as a sentence about the defective program. */
  readonly sentence: string;
  readonly edits: readonly Edit[];
}

const inFolder = (file: string, find: string, replace: string): Edit => ({
  file: `fencing/watchdog/${file}`,
  find,
  replace,
});

export const selfFencingDefects: readonly SelfFencingDefect[] = [
  {
    name: 'grant-counts-from-answer',
    sentence: 'The guard counts a grant from when its answer came.',
    edits: [inFolder('guard.ts', 'this.#grantedAt = sentAt;', 'this.#grantedAt = readClocks(this.#clocks);')],
  },
  {
    name: 'grant-never-ends',
    sentence: 'The guard feeds without looking how old its grant is.',
    edits: [inFolder('guard.ts', '#ageMs(): number {', '#ageMs(): number {\n    return 0;')],
  },
  {
    name: 'clock-ratio-ignored',
    sentence: 'The leader takes all clocks to run equally fast.',
    edits: [inFolder('bound.ts', 'clockRatio = 1.25', 'clockRatio = 1')],
  },
  {
    name: 'closing-is-no-feed',
    sentence: 'The leader does not allow for the feed by which Linux answers the end of a guard.',
    edits: [inFolder('bound.ts', 'grantMs + 2 * timeoutMs', 'grantMs + timeoutMs')],
  },
  {
    name: 'silence-by-renew-time',
    sentence: 'The leader counts silence from the time that the guard wrote down.',
    edits: [
      inFolder(
        'watchdog-fencer.ts',
        'first.at + waitMs - askedAt',
        'renewedAt(lease) + waitMs - clock.wallTime()',
      ),
    ],
  },
  {
    name: 'released-without-word',
    sentence: 'A guard that ends disarms its watchdog before the API server knows of it.',
    edits: [inFolder('guard.ts', "isReleased = await this.#renew('released');", 'isReleased = true;')],
  },
  {
    name: 'unarmed-is-armed',
    sentence: 'The leader takes any silent guard for one that has armed a watchdog.',
    edits: [inFolder('watchdog-fencer.ts', "if (claim.state !== 'armed')", 'if (false)')],
  },
  {
    name: 'suspended-time-forgotten',
    sentence:
      'The guard goes by the monotonic clock alone, which stands still while the machine is suspended.',
    edits: [
      inFolder(
        'guard.ts',
        'this.#clocks = [() => clock.now(), () => clock.wallTime(), ...clocks];',
        'this.#clocks = [() => clock.now()];',
      ),
    ],
  },
];
