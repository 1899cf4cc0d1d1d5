import { expect, it } from 'vitest';
import { standingJson } from './standing.ts';

const since = Date.UTC(2030, 0, 2, 3, 4, 5, 678);

it('says who leads in the words of the classic sidecar and of its successor, and more', () => {
  expect(standingJson({ name: 'web-0', isLeader: true, term: 7, since })).toBe(
    '{"name":"web-0","last_update":"2030-01-02T03:04:05.678Z","isLeader":true,"term":7}',
  );
});

it('names nobody when nobody leads', () => {
  expect(standingJson({ name: '', isLeader: false, term: undefined, since })).toBe(
    '{"name":"","last_update":"2030-01-02T03:04:05.678Z","isLeader":false,"term":null}',
  );
});
