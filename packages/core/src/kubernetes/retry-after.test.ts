// How long a server wants to be left alone, in seconds or until a date of its own.
import { expect, test } from 'vitest';
import { parseRetryAfter } from './retry-after.ts';

const date = 'Wed, 21 Oct 2015 07:28:00 GMT';

test.each([
  ['3', undefined, 3_000],
  [' 0.5 ', undefined, 500],
  ['0', undefined, 0],
  ['Wed, 21 Oct 2015 07:28:07 GMT', date, 7_000],
  ['Wed, 21 Oct 2015 07:27:00 GMT', date, 0],
  // Without the server's own clock there is nothing to measure from.
  ['Wed, 21 Oct 2015 07:28:07 GMT', undefined, undefined],
  ['soon', date, undefined],
  ['-3', date, undefined],
  ['', date, undefined],
  [undefined, date, undefined],
])('Retry-After %j at %j means %j ms', (retryAfter, at, ms) => {
  expect(parseRetryAfter({ 'retry-after': retryAfter, date: at })).toBe(ms);
});
