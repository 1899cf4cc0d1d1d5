import { KubernetesError, type Node, neededPermissions, nodes, type Pod } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { accountOf, judgeExcess, judgePermissions, userNameOf } from './account.ts';
import { judgeVersion } from './api-server.ts';
import { judgeBarePods } from './bare-pods.ts';
import { type AdmissionBinding, type AdmissionPolicy, judgeFencingToken } from './fencing-token.ts';
import { checkExitCode, failure, lookingAt, ok, skipped, warning } from './finding.ts';
import { judgeRecords } from './records.ts';
import { judgeReplicas } from './replicas.ts';
import { reportText } from './report.ts';
import { judgeProspects } from './stateful-sets.ts';

const account = { namespace: 'tkr-system', name: 'high-availability' };
const place = { namespace: 'tkr-system', election: { namespace: 'tkr-system', name: 'liberator' } };
const meta = (name: string, more: object = {}) => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  ...more,
});
const plain = (_: unknown, text: string): string => text;

describe('the report of a check in 80 columns', () => {
  const sections = [
    { title: 'API server', findings: [ok('reachable, Kubernetes v1.36.3')] },
    {
      title: 'StatefulSets',
      findings: [
        warning('shop/db-0, on node-1', 'no other node would take it: taint gpu (node-2); cordoned (node-3)'),
        failure('Lease tkr-system/liberator can not be written', 'not allowed'),
        skipped('the fencing-token policy', 'this API server does not serve it'),
      ],
    },
  ];

  it('marks each finding, breaks long ones below it, and ends with a verdict', () => {
    expect(`\n${reportText(sections, 80, plain).join('\n')}\n`).toBe(`
API server
ok    reachable, Kubernetes v1.36.3

StatefulSets
WARN  shop/db-0, on node-1: no other node would take it: taint gpu (node-2);
      cordoned (node-3)
FAIL  Lease tkr-system/liberator can not be written: not allowed
skip  the fencing-token policy: this API server does not serve it

4 findings: 1 failure, 1 warning, 1 not looked at.
`);
  });

  it('ends with 0 when all is fine, with 1 for warnings and with 2 for failures', () => {
    const of = (...findings: readonly ReturnType<typeof ok>[]) => checkExitCode([{ title: '', findings }]);
    expect(of(ok('a'), skipped('b', 'c'))).toBe(0);
    expect(of(ok('a'), warning('b', 'c'))).toBe(1);
    expect(of(warning('a', 'b'), failure('b', 'c'), ok('d'))).toBe(2);
  });
});

describe('records of takeovers', () => {
  it('that can be read are fine, and each that can’t is a warning that says what to do', () => {
    expect(judgeRecords({ records: [], unreadable: [] }).map(({ mark }) => mark)).toEqual(['ok']);
    const unreadable = [
      { name: 'liberator-takeover-a', node: 'node-1', kind: 'damaged', problem: 'its record is not JSON' },
      { name: 'liberator-takeover-b', node: undefined, kind: 'newer', problem: 'its record has version 2' },
    ] as const;
    const findings = judgeRecords({ records: [], unreadable });
    expect(findings.map(({ mark, what }) => `${mark} ${what}`)).toEqual([
      'warning liberator-takeover-a, of node-1',
      'warning liberator-takeover-b',
    ]);
    expect(findings[0]?.detail).toMatch(/not JSON; .*repair it/);
    expect(findings[1]?.detail).toMatch(/version 2; .*is not taken over/);
  });
});

describe('what can not be looked at', () => {
  const error = (status: number) => new KubernetesError({ verb: 'list', resource: nodes }, { status });
  const markOf = async (cause: unknown) => (await lookingAt('x', () => Promise.reject(cause)))[0]?.mark;

  it('says nothing of Liberator when it is not allowed or not served, and is a failure otherwise', async () => {
    expect(await markOf(error(403))).toBe('skipped');
    expect(await markOf(error(404))).toBe('skipped');
    expect(await markOf(error(500))).toBe('failure');
    expect(await markOf(new Error('connection refused'))).toBe('failure');
  });

  it('is told in a few words', async () => {
    expect(await lookingAt('x', () => Promise.reject(error(403)))).toEqual([
      skipped('x', 'you may not list nodes'),
    ]);
  });
});

describe('the version of the API server', () => {
  it.each([
    ['v1.36.3', 'ok'],
    ['v1.28.0-eks-1234', 'ok'],
    ['v2.0.0', 'ok'],
    ['v1.27.9', 'warning'],
    ['', 'warning'],
  ])('%s is %s', (version, mark) => {
    expect(judgeVersion(version).mark).toBe(mark);
  });
});

describe('an account', () => {
  it('is known by the name that the API server gives it', () => {
    expect(accountOf(userNameOf(account))).toEqual(account);
    expect(accountOf('alice')).toBeUndefined();
    expect(accountOf('system:node:node-1')).toBeUndefined();
    expect(accountOf(undefined)).toBeUndefined();
  });

  it('is told one line for each permission that it needs', () => {
    const needed = neededPermissions(place);
    const findings = judgePermissions(needed, needed.slice(0, 1));
    expect(findings).toHaveLength(needed.length);
    expect(findings[0]).toEqual(failure('get nodes', 'not allowed'));
    expect(findings[1]).toEqual(ok('list nodes'));
  });

  it('that has no more than it needs is fine', () => {
    expect(judgeExcess([{ namespace: 'a', excess: [] }])).toEqual([ok('nothing')]);
  });

  it('is told once what it has everywhere, and where it has the rest', () => {
    const findings = judgeExcess([
      { namespace: 'a', excess: ['* everything', 'get secrets'] },
      { namespace: 'b', excess: ['* everything'] },
    ]);
    expect(findings.map(({ mark, what }) => [mark, what])).toEqual([
      ['warning', '* everything'],
      ['warning', 'get secrets in namespace a'],
    ]);
  });

  it('is not told a list that nobody reads', () => {
    const excess = Array.from({ length: 40 }, (_, i) => `get thing-${i}`);
    const findings = judgeExcess([{ namespace: 'a', excess }]);
    expect(findings).toHaveLength(13);
    expect(findings.at(-1)?.what).toBe('and 28 more');
  });
});

describe('replicas', () => {
  const node = (name: string, zone?: string): Node => ({
    metadata: meta(name, zone === undefined ? {} : { labels: { 'topology.kubernetes.io/zone': zone } }),
  });
  const agent = (name: string, on: string, change: Partial<Pod> = {}): Pod => ({
    metadata: meta(name),
    spec: { nodeName: on, serviceAccountName: 'high-availability' },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    ...change,
  });
  const zoned = [node('n1', 'a'), node('n2', 'a'), node('n3', 'b')];
  const judged = (pods: readonly Pod[], all = [node('n1'), node('n2')]) =>
    judgeReplicas(pods, all, account).map(({ mark, what, detail }) => [mark, what, detail]);

  it('on several nodes and in several zones are fine', () => {
    expect(judged([agent('a', 'n1'), agent('b', 'n2')])).toEqual([
      ['ok', '2 replicas are Ready', undefined],
      ['ok', 'spread', 'on 2 nodes'],
    ]);
    expect(judged([agent('a', 'n1'), agent('b', 'n3')], zoned)[1]).toEqual([
      'ok',
      'spread',
      'on 2 nodes in 2 zones',
    ]);
  });

  it.each<[string, readonly Pod[], readonly Node[], RegExp]>([
    ['none', [], zoned, /no pod runs under tkr-system\/high-availability/],
    [
      'pods of another account',
      [agent('a', 'n1', { spec: { nodeName: 'n1', serviceAccountName: 'default' } })],
      zoned,
      /no pod runs/,
    ],
    [
      'none that is Ready',
      [agent('a', 'n1', { status: { phase: 'Running' } })],
      zoned,
      /1 run, none is Ready/,
    ],
    ['only one', [agent('a', 'n1')], zoned, /when its node dies/],
    [
      'one beside one that goes',
      [agent('a', 'n1'), agent('b', 'n2', { metadata: meta('b', { deletionTimestamp: 'x' }) })],
      zoned,
      /when its node dies/,
    ],
    ['all on one node', [agent('a', 'n1'), agent('b', 'n1')], zoned, /all of them are on n1/],
    ['all in one zone', [agent('a', 'n1'), agent('b', 'n2')], zoned, /all in zone a of 2/],
  ])('are warned of: %s', (_, pods, all, sentence) => {
    const [mark, , detail] = judged(pods, [...all]).at(-1) ?? [];
    expect(mark).toBe('warning');
    expect(detail).toMatch(sentence);
  });
});

describe('the fencing token', () => {
  const policy: AdmissionPolicy = {
    metadata: { name: 'liberator-fencing-token' },
    spec: {
      paramKind: { kind: 'Lease' },
      matchConstraints: { resourceRules: [{ resources: ['nodes'] }] },
      matchConditions: [{ expression: `request.userInfo.username == "${userNameOf(account)}"` }],
    },
  };
  const binding = (spec: AdmissionBinding['spec'] = {}): AdmissionBinding => ({
    metadata: { name: 'bound' },
    spec: {
      policyName: 'liberator-fencing-token',
      validationActions: ['Deny'],
      paramRef: { name: 'liberator', namespace: 'tkr-system', parameterNotFoundAction: 'Allow' },
      ...spec,
    },
  });
  const judged = (policies: readonly AdmissionPolicy[], bindings: readonly AdmissionBinding[]) =>
    judgeFencingToken(policies, bindings, account, place);

  it('is fine where it is installed for this account and bound to this election', () => {
    expect(judged([policy], [binding()]).map(({ mark }) => mark)).toEqual(['ok', 'ok']);
  });

  const other = { name: 'other', namespace: 'tkr-system', parameterNotFoundAction: 'Allow' };
  it.each<[string, readonly AdmissionPolicy[], readonly AdmissionBinding[], RegExp]>([
    ['not installed', [{ metadata: { name: 'x' } }], [], /not installed/],
    ['not bound', [policy], [binding({ policyName: 'x' })], /has to name it/],
    [
      'about another account',
      [{ ...policy, spec: { ...policy.spec, matchConditions: [{ expression: 'false' }] } }],
      [binding()],
      /none of its conditions names system:serviceaccount:tkr-system:high-availability/,
    ],
    [
      'only telling',
      [policy],
      [binding({ validationActions: ['Audit'] })],
      /expected the action Deny, found Audit/,
    ],
    ['bound to another election', [policy], [binding({ paramRef: other })], /found tkr-system\/other/],
    [
      'in the way of everybody when the Lease is gone',
      [policy],
      [binding({ paramRef: { ...other, name: 'liberator', parameterNotFoundAction: 'Deny' } })],
      /without a Lease nobody at all could change a Node/,
    ],
    [
      'written for another Kubernetes',
      [{ ...policy, status: { typeChecking: { expressionWarnings: [{ warning: 'undefined\n  field' }] } } }],
      [binding()],
      /^undefined field$/,
    ],
  ])('is warned of when it is %s', (_, policies, bindings, sentence) => {
    const warnings = judged(policies, bindings).filter(({ mark }) => mark === 'warning');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.detail).toMatch(sentence);
  });
});

describe('StatefulSets', () => {
  const prospect = (pod: string, change: object = {}) => ({
    namespace: 'shop',
    statefulSet: 'db',
    pod,
    node: 'n1',
    fits: ['n2'],
    obstacles: [],
    leftBehind: [],
    ...change,
  });

  it('whose pods could all run elsewhere are one line', () => {
    expect(judgeProspects([prospect('db-0'), prospect('db-1')])).toEqual([
      ok('shop/db', 'each of its 2 pods could run elsewhere'),
    ]);
    expect(judgeProspects([prospect('db-0')])).toEqual([ok('shop/db', 'its pod could run elsewhere')]);
    expect(judgeProspects([])).toEqual([ok('there are none with a pod on a node')]);
  });

  it('tell of each pod that could not, and why', () => {
    const obstacles = [
      { reason: 'cordoned', nodes: ['n2', 'n3', 'n4', 'n5'] },
      { reason: 'taint gpu', nodes: ['n6'] },
    ];
    const findings = judgeProspects([
      prospect('db-0'),
      prospect('db-1', { fits: [], obstacles }),
      prospect('db-2', { fits: [] }),
      prospect('db-3', { leftBehind: ['volume scratch is /data of the node'] }),
    ]);
    expect(findings).toEqual([
      warning('shop/db-1, on n1', 'no other node would take it: cordoned (4 nodes); taint gpu (n6)'),
      warning('shop/db-2, on n1', 'there is no other node'),
      warning(
        'shop/db-3, on n1',
        'it would start elsewhere without its data: volume scratch is /data of the node',
      ),
    ]);
  });
});

describe('pods that nobody makes anew', () => {
  const bare = (name: string, fate: 'lost' | 'kept' | 'kept-at-a-price') => ({
    namespace: 'shop',
    name,
    node: 'n1',
    fate,
  });

  it('are fine where there are none, or where all are kept and cost nothing', () => {
    expect(judgeBarePods([])).toEqual([ok('there are none')]);
    expect(
      judgeBarePods([bare('a', 'kept'), bare('b', 'kept')]).map(({ mark, what }) => [mark, what]),
    ).toEqual([['ok', '2 kept']]);
  });

  it('are warned of with what keeps them, and with what that costs', () => {
    const [lost, kept] = judgeBarePods([bare('a', 'lost'), bare('b', 'kept-at-a-price')]);
    expect(lost).toMatchObject({ mark: 'warning', what: 'shop/a, on n1' });
    expect(lost?.detail).toContain('kubectl -n shop annotate pod a liberator.dev/keep=true');
    expect(kept?.detail).toContain('six minutes later');
  });

  it('are no list that nobody reads', () => {
    const findings = judgeBarePods(Array.from({ length: 40 }, (_, i) => bare(`pod-${i}`, 'lost')));
    expect(findings).toHaveLength(13);
    expect(findings.at(-1)?.what).toBe('and 28 more');
  });
});
