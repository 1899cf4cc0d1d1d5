import { readFileSync } from 'node:fs';
import { defaultHeartbeatDetection, defaultPollDetection } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig, readConfig } from './read-config.ts';
import { allKeys } from './schema.ts';

const surroundings = { namespace: 'liberator', identity: 'agent-1_00000000' };
const minimal = 'policies: [{ name: all, nodes: { all: true } }]';

const parse = (text: string, around: Parameters<typeof parseConfig>[2] = surroundings) =>
  parseConfig(text, 'liberator.yaml', around);

/** The lines with which a text is refused. */
function refusal(text: string, around?: Parameters<typeof parseConfig>[2]): readonly string[] {
  try {
    parse(text, around);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  throw new Error('expected a refusal, found that it was accepted');
}

const withPolicy = (policy: string): string => `policies: [{ name: all, nodes: { all: true }, ${policy} }]`;

describe('a configuration file', () => {
  it('needs no more than one policy with a selector', () => {
    const { config, warnings } = parse(minimal);
    expect(warnings).toEqual([]);
    expect(config).toEqual({
      namespace: 'liberator',
      drill: { enabled: true, every: 3_600_000, concurrency: 4 },
      identity: 'agent-1_00000000',
      election: { name: 'liberator', leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 },
      http: { address: '0.0.0.0', port: 8080 },
      log: { level: 'info', format: 'json' },
      mode: 'act',
      journal: { size: 67_108_864, keep: 3 },
      probe: { enabled: true, interval: 2_000, timeout: 3_000 },
      heartbeatInterval: 10_000,
      returning: {
        dwell: 60_000,
        restore: true,
        restoredTaints: ['*', 'node-role.kubernetes.io/*', 'node-restriction.kubernetes.io/*'],
        keepFor: 604_800_000,
      },
      fencers: {},
      policies: [
        {
          name: 'all',
          nodes: { all: true },
          detection: { suspectAfter: 15_000, deadAfter: 25_000, deadUnprobedAfter: 60_000, silentProbes: 3 },
          controlPlane: false,
          evidence: 'unreachable',
          budget: { maxDead: 2, maxDeadPercent: 34, window: 900_000, maxRunning: 16 },
          fencing: { ladder: [{ fencer: 'manual' }], proof: 'required', afterwards: 'leave-off' },
          node: 'delete',
        },
      ],
    });
  });

  it('has the defaults that the core documents', () => {
    const { config } = parse(withPolicy('detection: { mode: heartbeat }'));
    expect(config.policies[0]?.detection).toEqual({
      mode: 'heartbeat',
      suspectAfter: defaultHeartbeatDetection.suspectAfterMs,
      deadAfter: defaultHeartbeatDetection.deadAfterMs,
      deadUnprobedAfter: defaultHeartbeatDetection.deadUnprobedAfterMs,
      silentProbes: defaultHeartbeatDetection.silentProbes,
    });
    expect(parse(withPolicy('detection: { mode: poll }')).config.policies[0]?.detection).toEqual({
      mode: 'poll',
      interval: defaultPollDetection.intervalMs,
      threshold: defaultPollDetection.threshold,
    });
  });

  it('is refused with every problem at once, each with its line, its path, what was expected and what was found', () => {
    const text = `
namespace: liberator
htpp: { port: 80 }
http: { port: "80" }
probe: { enabled: yes please, interval: 2 }
policies:
  - name: all
    nodes: { all: true }
    detection: { deadAftr: 3s, suspectAfter: soon }
    evidence: prooven
    budget: { maxDead: 0, maxDeadPercent: 101, window: 15, maxRunning: 0 }
    fencing: { drivers: [ipmi], proof: }
`;
    expect(refusal(text)).toEqual([
      'liberator.yaml:3: htpp: expected a known key, found htpp: did you mean http?',
      'liberator.yaml:4: http.port: expected a number, found "80"',
      'liberator.yaml:5: probe.enabled: expected true or false, found "yes please"',
      'liberator.yaml:5: probe.interval: expected a duration such as "30s", "1m30s" or "500ms", found the number 2: add a unit, "2s" for seconds',
      'liberator.yaml:9: policies[0].detection.deadAftr: expected a known key, found deadAftr: did you mean deadAfter?',
      'liberator.yaml:9: policies[0].detection.suspectAfter: expected a duration such as "30s", "1m30s" or "500ms", found "soon"',
      'liberator.yaml:10: policies[0].evidence: expected one of suspected, unreachable, proven, found "prooven": did you mean proven?',
      'liberator.yaml:11: policies[0].budget.maxDead: expected at least 1, found the number 0',
      'liberator.yaml:11: policies[0].budget.maxDeadPercent: expected at most 100, found the number 101',
      'liberator.yaml:11: policies[0].budget.window: expected a duration such as "30s", "1m30s" or "500ms", found the number 15: add a unit, "15s" for seconds',
      'liberator.yaml:11: policies[0].budget.maxRunning: expected at least 1, found the number 0',
      'liberator.yaml:12: policies[0].fencing.proof: expected one of required, optional, found nothing',
    ]);
  });

  it('names the known keys when an unknown one resembles none of them', () => {
    expect(refusal(`${minimal}\nlog: { colour: red }`)).toEqual([
      'liberator.yaml:2: log.colour: expected a known key, found colour: known here are level, format',
    ]);
  });

  it('takes a duration alone for how often fencers are drilled', () => {
    const drillOf = (text: string): unknown => parse(`${text}\n${minimal}`).config.drill;
    expect(drillOf('drill: 30m')).toEqual({ enabled: true, every: 1_800_000, concurrency: 4 });
    expect(drillOf('drill: { every: 2h, concurrency: 8 }')).toMatchObject({
      every: 7_200_000,
      concurrency: 8,
    });
    expect(refusal(`drill: often\n${minimal}`)).toEqual([
      expect.stringMatching(/^liberator.yaml:1: drill.every: expected a duration/),
    ]);
    expect(refusal(`drill: { evry: 1h }\n${minimal}`)).toEqual([
      'liberator.yaml:1: drill.evry: expected a known key, found evry: did you mean every?',
    ]);
  });

  it('knows which keys belong to which mode of detection', () => {
    expect(refusal(withPolicy('detection: { mode: poll, deadAfter: 30s }'))).toEqual([
      'liberator.yaml:1: policies[0].detection.deadAfter: expected a known key, found deadAfter: known here are mode, interval, threshold',
    ]);
    expect(refusal(withPolicy('detection: { mode: ping }'))).toEqual([
      'liberator.yaml:1: policies[0].detection.mode: expected one of heartbeat, poll, found "ping"',
    ]);
  });

  it.each([
    ['', 'liberator.yaml:1: expected a mapping, found nothing'],
    ['- name: all', 'liberator.yaml:1: expected a mapping, found a list'],
    ['policies: []', 'liberator.yaml:1: policies: expected at least 1 in the list, found an empty one'],
    ['http: {}', 'liberator.yaml:1: policies: expected a list, found nothing'],
    [
      'policies: [{ nodes: { all: true } }]',
      'liberator.yaml:1: policies[0].name: expected text, found nothing',
    ],
    ['policies: [{ name: a }]', 'liberator.yaml:1: policies[0].nodes: expected a mapping, found nothing'],
    [
      `${minimal}\nnamespace: My_Space`,
      /^liberator.yaml:2: namespace: expected a Kubernetes name: .*found "My_Space"$/,
    ],
    [`${minimal}\nidentity: a b`, /^liberator.yaml:2: identity: expected letters, .*found "a b"$/],
    [`${minimal}\nelection:`, 'liberator.yaml:2: election: expected a mapping, found nothing'],
  ])('is refused when it says %j', (text, message) => {
    const line = refusal(text).join();
    if (typeof message === 'string') expect(line).toBe(message);
    else expect(line).toMatch(message);
  });

  it('is refused with the line when it is not YAML', () => {
    expect(refusal('a: 1\na: 2')).toEqual(['liberator.yaml:2: not YAML: Map keys must be unique']);
    expect(refusal('b: 1\na: *nobody')).toEqual([
      'liberator.yaml:2: not YAML: what begins with "*" stands for an anchor, and there is none of that name before it; text has to be quoted',
    ]);
  });

  it.each([
    'password: *hunter2',
    'password: |hunter2',
    'password: @hunter2',
    'password: %hunter2',
    'password: "\\hunter2"',
    'password: a: hunter2',
    'password: {hunter2',
    'hunter2',
    '[hunter2]',
  ])('says nothing of a password that stands there as %s', (password) => {
    for (const text of [`fencers:\n  bmc:\n    ${password}`, `fencers: { bmc: ${password} }`]) {
      expect(refusal(`${minimal}\n${text}\n`).join()).not.toContain('hunter2');
    }
  });

  it('says in the same words as elsewhere when a name is too long', () => {
    expect(refusal(`${minimal}\nfencers: { ${'a'.repeat(64)}: { driver: watchdog } }`)).toEqual([
      expect.stringContaining('expected at most 63 characters, found "aaaa'),
    ]);
  });

  it('must name the namespace outside a cluster', () => {
    expect(refusal(minimal, { ...surroundings, namespace: undefined })).toEqual([
      'liberator.yaml:1: namespace: expected text, found nothing',
    ]);
  });

  it('that is not there is refused with its path', () => {
    expect(() => readConfig('/nowhere/liberator.yaml')).toThrow(
      new ConfigError(['could not read the configuration /nowhere/liberator.yaml: there is no such file']),
    );
  });
});

describe('settings that contradict one another are refused:', () => {
  it.each([
    [
      `${minimal}\nelection: { leaseDuration: 10s }`,
      ['liberator.yaml:2: election.leaseDuration: expected more than renewDeadline (10s), found 10s'],
    ],
    [
      `${minimal}\nelection: { retryPeriod: 9s }`,
      [
        'liberator.yaml:2: election.renewDeadline: expected more than 1.2 times retryPeriod (10s800ms), found 10s',
      ],
    ],
    [
      withPolicy('detection: { deadAfter: 22s }'),
      [
        'liberator.yaml:1: policies[0].detection.deadAfter: expected at least 23s, 2.3 times heartbeatInterval, so that an outage is not taken for the death of one node; found 22s',
      ],
    ],
    [
      withPolicy('detection: { suspectAfter: 30s }'),
      ['liberator.yaml:1: policies[0].detection.deadAfter: expected at least suspectAfter (30s), found 25s'],
    ],
    [
      withPolicy('budget: { window: 30s }'),
      [
        'liberator.yaml:1: policies[0].budget.window: expected at least detection.deadUnprobedAfter (1m), or deaths of one outage would not count together; found 30s',
      ],
    ],
    [
      withPolicy('detection: { mode: poll, interval: 20s, threshold: 2 }, budget: { window: 59s }'),
      [
        'liberator.yaml:1: policies[0].budget.window: expected at least the time that detection takes (1m), or deaths of one outage would not count together; found 59s',
      ],
    ],
    [
      withPolicy('detection: { deadUnprobedAfter: 45s }'),
      [
        'liberator.yaml:1: policies[0].detection.deadUnprobedAfter: expected more than 45s, since a healthy kubelet may be silent for that long; found 45s',
      ],
    ],
    [
      withPolicy('fencing: { drivers: [none] }'),
      [
        'liberator.yaml:1: policies[0].fencing.drivers: expected a fencer that gives a proof, found only none: with "proof: required" nothing would ever be released',
      ],
    ],
    [
      withPolicy('fencing: { drivers: [manual, manual] }'),
      ['liberator.yaml:1: policies[0].fencing.drivers: expected each fencer once, found [manual, manual]'],
    ],
    [
      'policies: [{ name: a, nodes: { all: true, matchLabels: { x: "1" } } }]',
      [
        'liberator.yaml:1: policies[0].nodes: expected either all or matchLabels and matchExpressions, found both',
      ],
    ],
    [
      'policies: [{ name: a, nodes: { matchLabels: { x: "1" } } }, { name: a, nodes: { all: true } }]',
      ['liberator.yaml:1: policies[1].name: expected a name of its own, found "a" a second time'],
    ],
    [
      'policies: [{ name: a, nodes: { matchExpressions: [{ key: x, operator: In }, { key: y, operator: Exists, values: [z] }] } }]',
      [
        'liberator.yaml:1: policies[0].nodes.matchExpressions[0].values: expected at least one value for In, found none',
        'liberator.yaml:1: policies[0].nodes.matchExpressions[1].values: expected no values for Exists, found 1',
      ],
    ],
  ])('%s', (text, lines) => {
    expect(refusal(text)).toEqual(lines);
  });
});

describe('a key that goes away', () => {
  it('goes on working, with a warning that says what to write instead', () => {
    const text = `
policies:
  - name: a
    nodes: { all: true }
    fencing: { drivers: [manual, none], proof: optional }`;
    expect(parse(text).warnings).toEqual([
      'liberator.yaml:5: policies[0].fencing.drivers: is deprecated: write "ladder: [{ fencer: manual }, { fencer: none }]" instead',
    ]);
    expect(parse(text.replace('drivers: [manual, none]', 'ladder: [{ fencer: manual }]')).warnings).toEqual(
      [],
    );
  });
});

describe('a policy that can do nothing is allowed, with a warning:', () => {
  it.each(['{}', '{ matchLabels: {} }', '{ matchExpressions: [] }'])('an empty selector, %s', (nodes) => {
    expect(parse(`policies: [{ name: idle, nodes: ${nodes} }]`).warnings).toEqual([
      'liberator.yaml:1: policies[0].nodes: the policy "idle" does nothing: an empty selector matches no node, ' +
        'never every node; say "all: true" for every node',
    ]);
  });

  it('one behind a policy that takes every node', () => {
    const text =
      'policies: [{ name: all, nodes: { all: true } }, { name: late, nodes: { matchLabels: { x: "1" } } }]';
    expect(parse(text).warnings).toEqual([
      'liberator.yaml:1: policies[1].nodes: the policy "late" does nothing: "all" before it takes every node',
    ]);
  });
});

describe('a fencer of storage', () => {
  const withFencing = (fencing: string): string =>
    `fencers: { ceph: { driver: networkFence, class: ceph-rbd } }\n${withPolicy(`fencing: ${fencing}`)}`;

  it('needs the name of its class and nothing else', () => {
    const { config } = parse(withFencing('{ ladder: [{ fencer: ceph }, { fencer: manual }] }'));
    expect(config.fencers).toEqual({ ceph: { driver: 'networkFence', class: 'ceph-rbd' } });
    expect(refusal(`fencers: { ceph: { driver: networkFence } }\n${minimal}`)).toEqual([
      expect.stringContaining('fencers.ceph.class'),
    ]);
    expect(refusal(`fencers: { ceph: { driver: networkFence, class: "a/b" } }\n${minimal}`)).toEqual([
      expect.stringContaining('expected the name of a NetworkFenceClass'),
    ]);
  });

  it('is of no use where its only proof does not count, and switches no hanging host off', () => {
    expect(refusal(withFencing('{ ladder: [{ fencer: ceph }], accept: [powered-off] }'))).toEqual([
      expect.stringContaining('expected isolated, since ceph gives no other proof; found none of it'),
    ]);
    expect(refusal(withFencing('{ ladder: [{ fencer: ceph }], hungAfter: 5m }'))).toEqual([
      expect.stringContaining('expected a fencer that switches power beside it'),
    ]);
  });
});

describe('the example configuration', () => {
  const text = readFileSync(new URL('../../liberator.example.yaml', import.meta.url), 'utf8');
  /** With what is switched off in it switched on. */
  const complete = text.replaceAll(/^( *)#(?=\w|- | {2,}[\w-])/gm, '$1');

  it('is accepted as it is, without a warning', () => {
    expect(parse(text).warnings).toEqual([]);
  });

  it('shows every key that there is, but those that go away', () => {
    const deprecated = ['policies[].fencing.drivers'];
    parse(complete, { namespace: undefined, identity: 'none' });
    const shown = new Set(complete.match(/^[ -]*\w+(?=:)/gm)?.map((key) => key.replaceAll(/[ -]/g, '')));
    const missing = allKeys().filter((path) => !shown.has(path.split('.').at(-1) ?? ''));
    expect(allKeys().length).toBeGreaterThan(40);
    expect(missing).toEqual(deprecated);
  });

  it('says the defaults where it claims to', () => {
    const { policies, ...settings } = parse(text).config;
    const [, , defaults] = policies;
    const { policies: _, ...expected } = parse(minimal).config;
    expect(settings).toEqual(expected);
    const [first] = policies;
    expect({ ...first, name: '', nodes: {} }).toEqual({
      ...defaults,
      name: '',
      nodes: {},
      detection: { mode: 'heartbeat', ...defaults?.detection },
    });
  });
});
