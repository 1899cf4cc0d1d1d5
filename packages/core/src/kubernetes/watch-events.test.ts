import { describe, expect, test } from 'vitest';
import { KubernetesError, MalformedAnswerError } from './errors.ts';
import { nodes } from './resources.ts';
import { decodeWatchEvent } from './watch-events.ts';

const call = { verb: 'watch', resource: nodes } as const;
const decode = (event: unknown): unknown => decodeWatchEvent(call, JSON.stringify(event));
const failure = (line: string): unknown => {
  try {
    return decodeWatchEvent(call, line);
  } catch (error) {
    return error;
  }
};

describe('decodeWatchEvent', () => {
  test.each(['ADDED', 'MODIFIED', 'DELETED'])('hands on %s with its object', (type) => {
    const object = { metadata: { name: 'node-1' } };
    expect(decode({ type, object })).toEqual({ type, object });
  });

  test('reduces a bookmark to its resourceVersion', () => {
    const object = { kind: 'Node', metadata: { resourceVersion: '42', creationTimestamp: null } };
    expect(decode({ type: 'BOOKMARK', object })).toEqual({ type: 'BOOKMARK', resourceVersion: '42' });
  });

  test.each([
    [{ code: 410, reason: 'Expired' }, 410],
    [{ reason: 'Expired' }, 410],
    [{ reason: 'Gone' }, 410],
    [{ code: 500, reason: 'InternalError' }, 500],
    [{}, 500],
  ])('throws an ERROR event %o with status %i', (status, code) => {
    const error = failure(JSON.stringify({ type: 'ERROR', object: status }));
    expect(error).toBeInstanceOf(KubernetesError);
    expect(error).toMatchObject({ status: code });
  });

  test.each([
    'not json',
    '{"type":"ADDED"',
    'null',
    '[]',
    '{}',
    '{"type":"ADDED"}',
    '{"type":"ADDED","object":null}',
    '{"type":"CHANGED","object":{}}',
    '{"type":"BOOKMARK","object":{"metadata":{}}}',
    '{"type":"BOOKMARK","object":{}}',
  ])('fails on %s and never skips it', (line) => {
    expect(failure(line)).toBeInstanceOf(MalformedAnswerError);
  });

  test('quotes nothing of a line that it cannot read', () => {
    const error = failure('{"type":"ADDED","object":{"data":{"password":"hunter2"}}') as Error;
    expect(error.message).not.toContain('hunter2');
    expect(error.cause).toBeUndefined();
  });
});
