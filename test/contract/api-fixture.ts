// What the tests of the API share: clients, a namespace of their own, and how to say what an answer should be.
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { type Answer, RawClient } from './raw-client.ts';
import type { ApiTarget } from './target.ts';

/** Two clients of a running target. */
export class ApiFixture {
  readonly target: ApiTarget;
  readonly client: RawClient;
  readonly stranger: RawClient;

  constructor(target: ApiTarget) {
    this.target = target;
    this.client = new RawClient(target.kubeconfig);
    this.stranger = new RawClient(target.stranger.kubeconfig);
  }

  /** A namespace that nobody else uses. */
  async namespace(): Promise<Namespace> {
    const name = uniqueName();
    expectSuccess(await this.client.post('/api/v1/namespaces', { metadata: { name } }), 201);
    // Pods need it, and whoever makes it for them may take a moment.
    const path = `/api/v1/namespaces/${name}/serviceaccounts`;
    const account = await this.client.post(path, { metadata: { name: 'default' } });
    expect([201, 409]).toContain(account.status);
    return new Namespace(name);
  }

  async close(): Promise<void> {
    this.client.close();
    this.stranger.close();
    await this.target.close();
  }
}

/** How the tests get at the target, which isn't there yet when they are declared. */
export type GetFixture = () => ApiFixture;

/** Where the objects of a namespace are. */
export class Namespace {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** `configmaps`, `pods/web-0`. */
  core(path: string): string {
    return `/api/v1/namespaces/${this.name}/${path}`;
  }

  apps(path: string): string {
    return `/apis/apps/v1/namespaces/${this.name}/${path}`;
  }

  leases(path = ''): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.name}/leases${path}`;
  }

  budgets(path = ''): string {
    return `/apis/policy/v1/namespaces/${this.name}/poddisruptionbudgets${path}`;
  }
}

/** A name that no other test uses. */
export function uniqueName(prefix = 'test'): string {
  return `${prefix}-${randomBytes(5).toString('hex')}`;
}

/** A pod that no scheduler takes; on a node that doesn't exist when `nodeName` is given. */
export function podOf(
  name: string,
  more: { nodeName?: string; labels?: object; finalizers?: string[] } = {},
): object {
  const { nodeName, ...metadata } = more;
  return {
    metadata: { name, ...metadata },
    spec: {
      schedulerName: 'nobody',
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image: 'app:1' }],
      ...(nodeName === undefined ? {} : { nodeName }),
    },
  };
}

/** A StatefulSet without replicas. */
export function statefulSetOf(name: string, spec: object = {}): object {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'app:1' }] } };
  return {
    metadata: { name },
    spec: { replicas: 0, serviceName: name, selector: { matchLabels: labels }, template, ...spec },
  };
}

/** What a failure is expected to say. */
export interface ExpectedFailure {
  readonly code: number;
  readonly reason?: string;
  readonly message?: string | RegExp;
  readonly details?: object;
  /** The field of some cause. */
  readonly field?: string;
}

/** Expects a `Status` that says so in its body as in its code. */
export function expectFailure(answer: Answer, expected: ExpectedFailure): void {
  const { code, reason, message, details, field } = expected;
  expect(answer.status, answer.text).toBe(code);
  expect(answer.body).toMatchObject({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code,
  });
  expect(answer.body['reason'], answer.text).toBe(reason);
  if (typeof message === 'string') expect(answer.body['message']).toBe(message);
  else if (message !== undefined) expect(answer.body['message']).toMatch(message);
  if (details !== undefined) expect(answer.body['details']).toEqual(details);
  if (field === undefined) return;
  const causes = answer.body['details']?.['causes'] as unknown as readonly { field: string }[];
  expect(causes.map((cause) => cause.field)).toContain(field);
}

/** Expects an answer with the given code. */
export function expectSuccess(answer: Answer, code = 200): void {
  expect(answer.status, answer.text).toBe(code);
}

/** The names of the items of a list. */
export function namesIn(answer: Answer): string[] {
  expectSuccess(answer);
  return (answer.body['items'] as unknown as { metadata: { name: string } }[]).map(
    (item) => item.metadata.name,
  );
}
