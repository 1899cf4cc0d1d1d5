import { describe, expect, it } from 'vitest';
import { takeoverRecord } from '../testing/puppet-controller.ts';
import { takeoverTable } from './list.ts';
import { takeoversOf } from './show-takeovers.ts';
import { summaryOf } from './summary.ts';
import { timeline } from './timeline.ts';

const now = '2026-01-01T00:10:00.000Z';
const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1_000).toISOString();
const step = (from: number, to: number, detail: string) => ({
  startedAt: at(from),
  endedAt: at(to),
  epoch: 7,
  outcome: 'done' as const,
  detail,
});

const recovered = takeoverRecord({
  id: '3f2a9c1b0d',
  leader: 'agent-1',
  closedAt: at(16.2),
  result: 'recovered',
  proof: 'powered-off',
  reasons: ['Lease not renewed for 25s', 'host silent to 5 probes'],
  verdicts: [
    { guard: 'blind', verdict: { outcome: 'pass' } },
    { guard: 'budget', verdict: { outcome: 'pass' } },
  ],
  steps: {
    claim: step(0, 0.1, 'the record is ours'),
    cordon: step(0.1, 0.2, 'tainted liberator.dev/takeover:NoSchedule'),
    fence: step(0.2, 3, 'proof: powered-off (the BMC says off)'),
    recheck: step(3, 3.1, 'still dead; 2 pods to release'),
    release: step(3.1, 4.6, 'free: 2 pods, and all volumes'),
    remove: step(4.6, 4.7, 'Node deleted'),
    verify: step(4.7, 16.2, 'Ready again: 1 StatefulSet pod'),
  },
  pods: [
    {
      namespace: 'shop',
      name: 'db-0',
      uid: 'u0',
      statefulSet: 'db',
      volumes: [{ claim: 'data-db-0', volume: 'pv-0' }],
      replacement: { uid: 'u1', node: 'node-2', readyAt: at(16.1) },
    },
    { namespace: 'shop', name: 'web-6d5f', uid: 'u2', volumes: [] },
  ],
});

const waiting = takeoverRecord({
  id: '77aa00bb11',
  openedAt: at(500),
  steps: {
    claim: {
      startedAt: at(500),
      endedAt: at(500.1),
      epoch: 7,
      outcome: 'done',
      detail: 'the record is ours',
    },
    cordon: { startedAt: at(500.1), endedAt: at(500.2), epoch: 7, outcome: 'done', detail: 'tainted' },
    fence: { startedAt: at(500.2), epoch: 7, detail: 'make sure that node-1 is off' },
  },
});

describe('the story of a takeover in 80 columns', () => {
  it('tells what was known, each step with its time, and what became of pods and volumes', () => {
    expect(`\n${timeline(recovered, now, 80).join('\n')}\n`).toBe(`
Takeover 3f2a9c1b0d of node-1: recovered after 16.2s

opened    2026-01-01 00:00:00Z
leader    agent-1 in epoch 7
node      node-1, uid uid-1
policy    all: proof optional, fencing by none, delete the Node
evidence  unreachable: Lease not renewed for 25s, host silent to 5 probes
proof     powered-off

STEP     BEGAN  TOOK   OUTCOME  DETAIL
claim    +0.0s  0.1s   done     the record is ours
cordon   +0.1s  0.1s   done     tainted liberator.dev/takeover:NoSchedule
fence    +0.2s  2.8s   done     proof: powered-off (the BMC says off)
recheck  +3.0s  0.1s   done     still dead; 2 pods to release
release  +3.1s  1.5s   done     free: 2 pods, and all volumes
remove   +4.6s  0.1s   done     Node deleted
verify   +4.7s  11.5s  done     Ready again: 1 StatefulSet pod

GUARDS
  blind   passed
  budget  passed

PODS
  shop/db-0      Ready on node-2 after 16.1s (StatefulSet db)
                 claim data-db-0: volume pv-0
  shop/web-6d5f  not of a StatefulSet: let go of
`);
  });

  it('tells of one that runs where it stands and what it waits for', () => {
    const told = timeline(waiting, now, 80);
    expect(told[0]).toBe('Takeover 77aa00bb11 of node-1: in step fence for 1m40s');
    expect(told).toContain('fence   +0.2s  1m40s  waiting  make sure that node-1 is off');
    expect(told).toContain('leader    epoch 7');
    expect(told).toContain('proof     none yet');
  });

  it('tells which policy it follows and followed before, and who gave the proof', () => {
    const { policy } = waiting;
    const strict = { ...policy, proof: 'required', drivers: ['manual'] } as const;
    const told = timeline(
      {
        ...waiting,
        policyChanges: [{ at: at(505), epoch: 8, from: strict, to: policy }],
        proof: 'confirmed-by-human',
        fencer: 'manual',
        confirmedBy: 'alice',
      },
      now,
      undefined,
    );
    expect(told).toEqual(
      expect.arrayContaining([
        'policy      all: proof optional, fencing by none, delete the Node',
        'until then  all: proof required, fencing by manual, delete the Node (until 2026-01-01 00:08:25Z, epoch 8)',
        'proof       confirmed-by-human, by manual: alice',
      ]),
    );
  });

  it('tells what each rung of the ladder came to, which has its turn, and on what the proof rests', () => {
    const rungs = [
      { fencer: 'bmc', forMs: 90_000 },
      { fencer: 'pdu' },
      { fencer: 'cloud' },
      { fencer: 'manual' },
    ] as const;
    const policy = { ...waiting.policy, ladder: rungs, drivers: rungs.map(({ fencer }) => fencer) };
    const turn = { round: 2, startedAt: at(501), epoch: 7, beganMs: 0 };
    const refused = { ...turn, fencer: 'bmc', overMs: 90, end: 'failed', detail: 'HTTP 401' } as const;
    const late = { ...turn, fencer: 'pdu', overMs: 90_090, end: 'time-out' } as const;
    const before = {
      ...turn,
      round: 1,
      fencer: 'cloud',
      overMs: 9,
      end: 'not-accepted',
      detail: 'moved',
    } as const;
    const climb = { round: 2, rung: 1, rungs: [refused, { ...turn, fencer: 'pdu' }, before] };
    const words = timeline({ ...waiting, policy, climb }, now, 80);
    expect(words.slice(words.indexOf('FENCERS, IN ROUND 2'))).toEqual([
      'FENCERS, IN ROUND 2',
      '  bmc     failed for good           HTTP 401',
      '  pdu     has its turn, 1m30s left',
      '  cloud   not accepted before       moved',
      '  manual  not yet asked',
    ]);
    const first = { round: 1, rung: 2, rungs: [refused, late, { ...turn, fencer: 'cloud', detail: 'gone' }] };
    const proofEvidence = [{ witness: 'cloud.example.com', said: 'no such instance', at: at(600) }];
    const proven = {
      ...waiting,
      policy,
      climb: first,
      proof: 'instance-gone',
      fencer: 'cloud',
      proofEvidence,
    } as const;
    const told = timeline(proven, now, 80);
    expect(told).toContainEqual(expect.stringMatching(/^ {2}cloud +vouched +gone$/));
    expect(told.slice(-2)).toEqual([
      'EVIDENCE OF THE PROOF',
      '  2026-01-01 00:10:00Z  cloud.example.com  no such instance',
    ]);
  });

  it('tells who ended one that came to nothing', () => {
    const overtaken = { ...waiting, overtaken: 'the Node was deleted', result: 'overtaken' } as const;
    expect(timeline({ ...overtaken, closedAt: at(510) }, now, 80)).toContain(
      'overtaken  the Node was deleted',
    );
  });

  it('tells why one was undone, and that its step stopped', () => {
    const undone = {
      ...waiting,
      undoing: 'its Lease is renewed again',
      result: 'undone',
      closedAt: at(510),
    } as const;
    const told = timeline(undone, now, 80);
    expect(told[0]).toBe('Takeover 77aa00bb11 of node-1: undone after 10.0s');
    expect(told).toContain('undone    its Lease is renewed again');
    expect(told).toContain('fence   +0.2s  9.8s  stopped  make sure that node-1 is off');
  });

  it('tells what is in the way of a pod, and what became of the node', () => {
    const told = timeline(
      takeoverRecord({
        result: 'incomplete',
        closedAt: at(600),
        pods: [
          {
            namespace: 'shop',
            name: 'db-0',
            uid: 'u',
            statefulSet: 'db',
            volumes: [{ claim: 'data-db-0', volume: 'pv-0', pinnedTo: ['node-1'] }],
          },
        ],
        return: {
          uid: 'u9',
          bootId: 'b',
          seenAt: at(700),
          restored: true,
          quarantined: false,
          welcomed: true,
          welcomedAt: at(760),
          detail: 'it has booted again (boot b)',
        },
      }),
      now,
      80,
    );
    expect(told.slice(told.indexOf('PODS'))).toEqual([
      'PODS',
      '  shop/db-0  not Ready elsewhere (StatefulSet db)',
      '             claim data-db-0: volume pv-0, which can only be used on node-1',
      '',
      'RETURN',
      '  seen      2026-01-01 00:11:40Z',
      '  restored  labels, annotations and taints of people',
      '  trusted   2026-01-01 00:12:40Z',
      '  detail    it has booted again (boot b)',
    ]);
  });
});

describe('a list of takeovers', () => {
  it('tells state, age, duration and who in 80 columns', () => {
    const listed = [waiting, recovered].map((record) => summaryOf(record, now));
    expect(`\n${takeoverTable(listed, now, 80).join('\n')}\n`).toBe(`
TAKEOVER    NODE    STATE      AGE   TOOK   DETAIL
77aa00bb11  node-1  in fence   100s  1m40s  in epoch 7, policy all: make sure
                                            that node-1 is off
3f2a9c1b0d  node-1  recovered  10m   16.2s  by agent-1 in epoch 7, policy all,
                                            proof powered-off
`);
  });

  it.each([
    [{ welcomed: true, quarantined: false }, 'the node is back'],
    [{ welcomed: false, quarantined: true }, 'the node is back, in quarantine'],
    [{ welcomed: false, quarantined: false }, 'the node is back, not trusted yet'],
  ])('says of a node that returned %j: %s', (change, detail) => {
    const back = { uid: 'u', bootId: '', seenAt: now, restored: false, detail: '', ...change };
    expect(summaryOf({ ...recovered, return: back }, now).detail).toBe(detail);
  });

  it('says why one is incomplete', () => {
    const verify = step(5, 600, 'not recovered: shop/db-0: not scheduled yet');
    expect(summaryOf({ ...recovered, result: 'incomplete', steps: { verify } }, now)).toMatchObject({
      state: 'incomplete',
      running: false,
      detail: 'not recovered: shop/db-0: not scheduled yet',
    });
  });
});

describe('the takeover that a name means', () => {
  const older = { ...recovered, id: 'older', openedAt: at(-100) };

  it('is the one of that id, or all of a node', () => {
    expect(takeoversOf([recovered, older], 'older')).toEqual([older]);
    expect(takeoversOf([recovered, older], 'node-1')).toEqual([recovered, older]);
    expect(takeoversOf([recovered, older], 'node-2')).toEqual([]);
  });
});
