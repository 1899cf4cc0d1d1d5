// The audit log is the referee of other tests, so the referee is tested first.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AuditEvent, matchesAudit, parseAuditLine, readAudit } from './audit.ts';

const deletion = {
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  level: 'RequestResponse',
  auditID: 'a-1',
  stage: 'ResponseComplete',
  requestURI: '/api/v1/namespaces/shop/pods/db-0',
  verb: 'delete',
  user: { username: 'jane', groups: ['ops', 'system:authenticated'] },
  userAgent: 'liberator/1.0',
  objectRef: { resource: 'pods', namespace: 'shop', name: 'db-0', apiVersion: 'v1' },
  responseStatus: { metadata: {}, code: 200 },
  requestObject: { kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: 'uid-1' } },
  requestReceivedTimestamp: '2026-01-02T03:04:05.678901Z',
  stageTimestamp: '2026-01-02T03:04:05.700000Z',
};

const line = (change: object = {}): string => JSON.stringify({ ...deletion, ...change });

function parse(change: object = {}): AuditEvent {
  const event = parseAuditLine(line(change));
  if (event === undefined) {
    throw new Error('expected an event');
  }
  return event;
}

describe('an audit event', () => {
  it('says who did what to which object, when, and how it ended', () => {
    expect(parse()).toMatchObject({
      auditId: 'a-1',
      stage: 'ResponseComplete',
      verb: 'delete',
      user: 'jane',
      groups: ['ops', 'system:authenticated'],
      userAgent: 'liberator/1.0',
      apiGroup: '',
      resource: 'pods',
      namespace: 'shop',
      name: 'db-0',
      code: 200,
      receivedAt: new Date('2026-01-02T03:04:05.678Z'),
      answeredAt: new Date('2026-01-02T03:04:05.700Z'),
      requestObject: { gracePeriodSeconds: 0 },
    });
    expect(parse()).not.toHaveProperty('subresource');
  });

  it('finds the uid in the reference, the answer or the precondition, in this order', () => {
    expect(parse().uid).toBe('uid-1');
    expect(parse({ responseObject: { kind: 'Status', details: { uid: 'uid-2' } } }).uid).toBe('uid-2');
    expect(parse({ responseObject: { kind: 'Pod', metadata: { uid: 'uid-3' } } }).uid).toBe('uid-3');
    expect(parse({ objectRef: { resource: 'pods', uid: 'uid-4' } }).uid).toBe('uid-4');
    expect(parse({ requestObject: undefined })).not.toHaveProperty('uid');
  });

  it('copes with a request that is about no object', () => {
    const event = parse({
      objectRef: undefined,
      requestURI: '/healthz',
      verb: 'get',
      requestObject: undefined,
    });
    expect(event).toMatchObject({ uri: '/healthz', apiGroup: '' });
    expect(event).not.toHaveProperty('resource');
  });

  it.each(['', '{"kind":"Event","audi', 'null', '3', '{"kind":"Status"}'])('is not made of "%s"', (text) => {
    expect(parseAuditLine(text)).toBeUndefined();
  });
});

describe('an audit filter', () => {
  it('asks for nothing and gets every request once', () => {
    expect(matchesAudit(parse(), {})).toBe(true);
    expect(matchesAudit(parse({ stage: 'ResponseStarted' }), {})).toBe(false);
    expect(matchesAudit(parse({ stage: 'ResponseStarted' }), { stage: 'ResponseStarted' })).toBe(true);
  });

  it('takes a word or a list of words', () => {
    expect(matchesAudit(parse(), { verb: 'delete', code: 200 })).toBe(true);
    expect(matchesAudit(parse(), { verb: ['patch', 'delete'] })).toBe(true);
    expect(matchesAudit(parse(), { verb: ['patch', 'update'] })).toBe(false);
    expect(matchesAudit(parse(), { verb: [] })).toBe(false);
  });

  it('wants every field to match', () => {
    expect(matchesAudit(parse(), { verb: 'delete', user: 'jane', resource: 'pods', name: 'db-0' })).toBe(
      true,
    );
    expect(matchesAudit(parse(), { verb: 'delete', user: 'john', resource: 'pods' })).toBe(false);
    expect(matchesAudit(parse(), { namespace: 'shop', code: 409 })).toBe(false);
  });

  it('tells a resource from its subresources', () => {
    const status = parse({ objectRef: { resource: 'nodes', name: 'node-1', subresource: 'status' } });
    expect(matchesAudit(status, { resource: 'nodes', subresource: 'status' })).toBe(true);
    expect(matchesAudit(status, { resource: 'nodes', subresource: '' })).toBe(false);
    expect(matchesAudit(parse(), { subresource: '' })).toBe(true);
  });

  it('looks at the program that asked, and at the time', () => {
    expect(matchesAudit(parse(), { userAgent: /^liberator\// })).toBe(true);
    expect(matchesAudit(parse(), { userAgent: /^kubelet/ })).toBe(false);
    expect(matchesAudit(parse(), { since: new Date('2026-01-02T03:04:06Z') })).toBe(false);
    expect(matchesAudit(parse(), { until: new Date('2026-01-02T03:04:06Z') })).toBe(true);
  });
});

describe('an audit log', () => {
  it('is read while it is being written: the unfinished last line waits for the next time', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'audit-'));
    try {
      const path = join(directory, 'audit.log');
      const second = line({ auditID: 'a-2', verb: 'get' });
      writeFileSync(path, `${line()}\n${second.slice(0, 100)}`);
      expect((await readAudit(path)).map((event) => event.auditId)).toEqual(['a-1']);
      writeFileSync(path, `${line()}\n${second}\n`);
      expect((await readAudit(path)).map((event) => event.auditId)).toEqual(['a-1', 'a-2']);
      expect((await readAudit(path, { verb: 'delete' })).map((event) => event.auditId)).toEqual(['a-1']);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
