import { describe, expect, it } from 'vitest';
import { parseSize } from './size.ts';

describe('a size', () => {
  it.each([
    ['64KiB', 65_536],
    ['64MiB', 67_108_864],
    ['1GiB', 1_073_741_824],
    [' 2MiB ', 2_097_152],
  ])('%j is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([64, '64', '64MB', '', '-1MiB', '1.5MiB', '63KiB', '0GiB', null, ['64MiB']])(
    'is not %j',
    (found) => {
      expect(() => parseSize(found)).toThrow('expected a size of at least 64KiB such as "64MiB", found ');
    },
  );
});
