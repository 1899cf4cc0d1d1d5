// What comes of a fence when the agent is good, slow, stuck, lying, missing, or another one than it should be.
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeAgent, metadataWith } from '../../testing/fake-agent.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { type Clock, systemClock } from '../../time/clock.ts';
import type { FenceContext, FencePermit } from '../fence-context.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { Fencer } from '../fencer.ts';
import { agentFencer } from './fence-agent.ts';
import type { AgentFencerOptions } from './fence-agent-options.ts';

const target = (annotations: Readonly<Record<string, string>> = {}, name = 'node-1'): FenceTarget => ({
  name,
  uid: 'u-1',
  deathId: 'd-1',
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: 'aws:///eu-1a/i-1' },
    addresses: [],
    labels: {},
    annotations,
  },
  howToConfirm: 'say so',
});

let agent: FakeAgent;
beforeEach(() => {
  agent = new FakeAgent();
});
afterEach(() => agent[Symbol.dispose]());

const fencer = (more: Partial<AgentFencerOptions> = {}): Fencer =>
  agentFencer({
    name: 'fake',
    program: agent.program,
    parameters: { plug: '{name}' },
    settleMs: 20,
    ...more,
  } as AgentFencerOptions);

interface Scene {
  readonly context: FenceContext;
  readonly abort: AbortController;
  /** What the agent had been asked to do when each permit was asked for. */
  readonly permitsAfter: (readonly string[])[];
}

const scene = (
  permit: () => FencePermit = () => ({ outcome: 'granted', validForMs: 5_000 }),
  clock: Clock = systemClock,
): Scene => {
  const abort = new AbortController();
  const permitsAfter: (readonly string[])[] = [];
  return {
    abort,
    permitsAfter,
    context: {
      clock,
      signal: abort.signal,
      permit: async () => {
        permitsAfter.push(agent.actions);
        return permit();
      },
    },
  };
};

describe('a fence through an agent', () => {
  it('switches off, and proves it by what the status says at both ends of the settling time', async () => {
    const { context, permitsAfter } = scene();
    expect(await fencer().fence(target(), context)).toEqual({
      outcome: 'fenced',
      proof: 'powered-off',
      detail: 'fence_fake: off, and still off 0.02 s later',
      evidence: [
        { witness: 'fence_fake', said: 'off done: Success: Powered OFF', at: expect.any(String) },
        { witness: 'fence_fake', said: 'status off', at: expect.any(String) },
        { witness: 'fence_fake', said: 'status off', at: expect.any(String) },
      ],
    });
    expect(agent.actions).toEqual(['off', 'status', 'status']);
    expect(permitsAfter).toEqual([[]]);
  });

  it('comes to the same when the machine is off already', async () => {
    agent.power = 'off';
    expect(await fencer().fence(target(), scene().context)).toMatchObject({ outcome: 'fenced' });
    expect(await fencer().fence(target(), scene().context)).toMatchObject({ outcome: 'fenced' });
  });

  it('tells the agent its action first, then which machine, and nothing on its command line or in its environment', async () => {
    const password = agent.write('password-i-1', 'Hidden-1\n');
    const { password: _, ...files } = { password };
    expect(files).toEqual({});
    process.env['LIBERATOR_TEST_TOKEN'] = 'Hidden-2';
    try {
      const { context } = scene();
      const secretParameters = { password: password.replace('i-1', '{instanceID}') };
      await fencer({ secretParameters }).fence(target(), context);
      expect(agent.input('off')).toEqual(['action=off', 'plug=node-1', 'password=Hidden-1']);
      expect(agent.input('status')).toEqual(['action=status', 'plug=node-1', 'password=Hidden-1']);
      expect(agent.read('command').trim().split('\n')).toEqual(['/bin/sh', agent.program]);
      expect(agent.read('environment')).not.toMatch(/Hidden/);
      const names = agent
        .read('environment')
        .trim()
        .split('\n')
        .map((line) => line.split('=')[0]);
      expect(names.toSorted()).toEqual(
        ['HOME', 'LC_ALL', 'LIBERATOR_FENCE_RUN', 'PATH', 'PYTHONDONTWRITEBYTECODE'].concat(
          names.includes('PWD') ? ['PWD'] : [],
        ),
      );
      await fencer({ environment: ['LIBERATOR_TEST_TOKEN', 'NOT_THERE'] }).fence(target(), context);
      expect(agent.read('environment')).toContain('LIBERATOR_TEST_TOKEN=Hidden-2\n');
    } finally {
      delete process.env['LIBERATOR_TEST_TOKEN'];
    }
  });

  it('reads a secret anew at each use, and says which file it lacks', async () => {
    const secretParameters = { password: agent.write('password', 'first') };
    const one = fencer({ secretParameters });
    await one.check?.(target(), scene().context);
    expect(agent.input('status')).toContain('password=first');
    agent.write('password', 'second');
    await one.check?.(target(), scene().context);
    expect(agent.input('status')).toContain('password=second');
    agent.write('password', '"quoted"');
    expect(await one.fence(target(), scene().context)).toEqual({
      outcome: 'failed',
      detail: 'fence_fake: the parameter "password": expected no quotes at its ends',
    });
    agent.write('password', '');
    expect(await one.fence(target(), scene().context)).toEqual({
      outcome: 'failed',
      detail: `fence_fake: ${agent.folder}/password is empty`,
    });
    expect(agent.actions).toEqual(['status', 'status']);
  });

  it.each<[string, Parameters<FakeAgent['be']>[0], string]>([
    [
      'fails',
      {
        off: 'echo "2026-11-30 10:00:10,644 ERROR: Connection timed out" >&2; echo >&2; echo "Please use -h" >&2; exit 1',
      },
      'fence_fake: off ended with 1: Connection timed out',
    ],
    ['is ended by somebody', { off: 'kill -9 $$' }, 'fence_fake: off was ended by SIGKILL'],
    [
      'fails with a stack',
      { off: 'printf "Traceback\\n  File x\\nValueError: no such plug at 0x7f3a2b1c\\n" >&2; exit 1' },
      'fence_fake: off ended with 1: ValueError: no such plug at 0x...',
    ],
    ['says nothing', { off: 'exit 3' }, 'fence_fake: off ended with 3'],
    ['tells on its output alone', { off: 'echo nope; exit 1' }, 'fence_fake: off ended with 1: nope'],
  ])('that %s gives no proof, and says why in words that stay the same', async (_, faults, detail) => {
    agent.be(faults);
    for (let times = 0; times < 2; times++) {
      expect(await fencer().fence(target(), scene().context)).toEqual({ outcome: 'failed', detail });
    }
  });

  it.each<[string, string]>([
    ['is still on', 'echo "Status: ON"'],
    ['nobody can tell', 'echo "ERROR: no answer" >&2; exit 1'],
    [
      'has ended like a program that does not understand what it is told',
      'echo "usage: fence_fake" >&2; exit 2',
    ],
    ['contradicts itself', 'echo "Status: ON"; exit 2'],
    ['contradicts itself the other way round', 'echo "Status: OFF"'],
  ])('is not believed when the status %s', async (_, status) => {
    agent.be({ status });
    const clock = new ManualClock();
    const fencing = fencer().fence(target(), scene(undefined, clock).context);
    let over = false;
    void fencing.finally(() => {
      over = true;
    });
    while (!over) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (clock.pendingTimers > 1) await clock.advance(1_000);
    }
    expect(await fencing).toEqual({
      outcome: 'failed',
      detail: expect.stringMatching(/^fence_fake: "off" was done, and then: status /),
    });
    expect(agent.actions.filter((action) => action === 'off')).toHaveLength(1);
  });

  it('waits for a device that takes its time to switch', async () => {
    agent.be({
      off: 'echo 1 >"$folder/looks"',
      status:
        'n=$(cat "$folder/looks"); echo $((n + 1)) >"$folder/looks"; [ "$n" -lt 3 ] || { echo "Status: OFF"; exit 2; }; echo "Status: ON"',
    });
    expect(await fencer().fence(target(), scene().context)).toMatchObject({ outcome: 'fenced' });
  });

  it('is none of a machine that is on again after the settling time', async () => {
    agent.be({
      status:
        'if [ -e "$folder/once" ]; then echo "Status: ON"; else touch "$folder/once"; echo "Status: OFF"; exit 2; fi',
    });
    expect(await fencer().fence(target(), scene().context)).toEqual({
      outcome: 'failed',
      detail: 'fence_fake: it was off and is on again',
    });
  });

  it('says what took too long', async () => {
    agent.be({ off: 'sleep 60' });
    expect(await fencer({ timeoutMs: 300 }).fence(target(), scene().context)).toEqual({
      outcome: 'failed',
      detail: 'no answer within 0.3 s: fence_fake: off was called off',
    });
  });

  it('bears with an agent that prints for ever and one that reads nothing', async () => {
    agent.be({ off: `yes | head -c 3000000; echo off >"$folder/power"` });
    expect(await fencer().fence(target(), scene().context)).toMatchObject({ outcome: 'fenced' });
    writeFileSync(agent.program, '#!/bin/sh\nexec <&-\nexit 1\n');
    expect(await fencer().fence(target(), scene().context)).toMatchObject({
      outcome: 'failed',
      detail: 'fence_fake: its metadata cannot be read',
    });
  });
});

describe('a permit', () => {
  it('that is refused keeps the agent from being started', async () => {
    const { context } = scene(() => ({ outcome: 'refused', code: 'alive', detail: 'it has shown life' }));
    expect(await fencer().fence(target(), context)).toEqual({
      outcome: 'failed',
      detail: 'fence_fake: "off" was not begun: it has shown life',
    });
    expect(agent.actions).toEqual([]);
  });

  it('is asked for anew while the agent is at work, and its refusal ends it', async () => {
    agent.be({ off: 'sleep 1; echo off >"$folder/power"' });
    let asked = 0;
    const { context } = scene(() =>
      asked++ < 2
        ? { outcome: 'granted', validForMs: 200 }
        : { outcome: 'refused', code: 'held', detail: 'somebody paused' },
    );
    expect(await fencer().fence(target(), context)).toEqual({
      outcome: 'failed',
      detail: 'fence_fake: "off" was called off: somebody paused',
    });
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(agent.power).toBe('on');
  });

  it('that is renewed lets a slow agent finish', async () => {
    agent.be({ off: 'sleep 0.5; echo off >"$folder/power"' });
    const { context, permitsAfter } = scene(() => ({ outcome: 'granted', validForMs: 100 }));
    expect(await fencer().fence(target(), context)).toMatchObject({ outcome: 'fenced' });
    expect(permitsAfter.length).toBeGreaterThan(4);
  });
});

describe('an agent', () => {
  it.each<[string, string, string]>([
    ['has no off', metadataWith(['plug!'], ['on', 'status']), 'it has no action "off"'],
    ['has no status', metadataWith(['plug!'], ['on', 'off']), 'it has no action "status"'],
    ['requires more', metadataWith(['plug!', 'vmtype!']), 'its parameter "vmtype" is required and not given'],
    [
      'manages several machines',
      metadataWith(['systems_uri', 'plug']),
      'nothing names the machine: its parameter "systems_uri" is not given',
    ],
  ])('that %s is refused, by a check and by a fence, before it is asked anything', async (_, xml, detail) => {
    agent.write('metadata.xml', xml);
    const { context, permitsAfter } = scene();
    expect(await fencer().fence(target(), context)).toEqual({
      outcome: 'failed',
      detail: `fence_fake: ${detail}`,
      permanent: true,
    });
    expect(await fencer().check?.(target(), context)).toMatchObject({
      outcome: 'not-ready',
      machine: 'unknown',
      detail: `fence_fake: ${detail}`,
    });
    expect([agent.actions, permitsAfter]).toEqual([[], []]);
  });

  it('that is not there, or says nothing of itself, is refused', async () => {
    for (const program of ['fence_there_is_none', `${agent.folder}/power`]) {
      expect(await fencer({ program }).fence(target(), scene().context)).toEqual({
        outcome: 'failed',
        detail: `there is no program ${program}`,
        permanent: true,
      });
    }
    agent.be({ metadata: 'echo "<resource-agent><parameters>"' });
    expect(await fencer().fence(target(), scene().context)).toEqual({
      outcome: 'failed',
      detail: 'fence_fake: its metadata cannot be read',
    });
    expect(agent.actions).toEqual([]);
  });

  it('may tell about itself on its command line alone', async () => {
    agent.be({
      metadata: 'exit 1',
    });
    const script = agent.read('fence_fake');
    writeFileSync(
      agent.program,
      script.replace(
        /^folder=.*$/m,
        (line) => `${line}\n[ "$*" = "-o metadata" ] && exec cat "$folder/metadata.xml"`,
      ),
    );
    expect(await fencer().fence(target(), scene().context)).toMatchObject({ outcome: 'fenced' });
  });

  it('is only for the node that it was given for', async () => {
    const one = fencer({ parameters: { plug: '7' }, node: 'node-1' });
    expect(await one.fence(target({}, 'node-2'), scene().context)).toEqual({
      outcome: 'failed',
      detail: 'it fences node-1 and no other node',
      permanent: true,
    });
    expect(agent.actions).toEqual([]);
    expect(await one.fence(target(), scene().context)).toMatchObject({ outcome: 'fenced' });
  });

  it.each([
    ['x -H 10.0.0.9', 'a word of its own'],
    ['1,2', 'two plugs'],
    ['-P', 'an option'],
    ['$(reboot)', 'a command'],
  ])('gets no plug that a Node made into something else: %s', async (plug) => {
    const one = fencer({ parameters: { plug: '{annotation.plug}' } });
    expect(await one.fence(target({ plug }), scene().context)).toEqual({
      outcome: 'failed',
      detail: 'fence_fake: annotation.plug of node-1 has characters that agents may take for something else',
      permanent: true,
    });
    expect(agent.actions).toEqual([]);
  });
});

describe('an address', () => {
  it('that a node made up is none to which credentials go', async () => {
    const one = fencer({
      parameters: { plug: '{name}', ip: '{annotation.bmc}' },
      hosts: ['*.bmc.lan', '10.7.0.0/16'],
    });
    expect(await one.fence(target({ bmc: 'bmc.evil.example' }), scene().context)).toEqual({
      outcome: 'failed',
      detail: 'fence_fake: the address for node-1 is none of the hosts that may be meant: bmc.evil.example',
      permanent: true,
    });
    expect(agent.actions).toEqual([]);
    for (const bmc of ['n7.bmc.lan', '10.7.3.4']) {
      expect(await one.fence(target({ bmc }), scene().context)).toMatchObject({ outcome: 'fenced' });
      expect(agent.input('off')).toContain(`ip=${bmc}`);
    }
  });
});

describe('a check', () => {
  it('says that it answers and how the power is, and not that it may switch it', async () => {
    expect(await fencer().check?.(target(), scene().context)).toEqual({
      outcome: 'ready',
      machine: 'chosen',
      power: 'on',
      mayAct: 'unknown',
      detail: 'fence_fake: status on; whether it may switch shows when it is tried',
      evidence: [{ witness: 'fence_fake', said: 'status on', at: expect.any(String) }],
    });
    agent.power = 'off';
    expect(await fencer().check?.(target(), scene().context)).toMatchObject({
      outcome: 'ready',
      power: 'off',
    });
    expect(agent.actions).toEqual(['status', 'status']);
  });

  it('finds a device that does not answer, and a parameter that the agent would pass over', async () => {
    agent.be({ status: 'echo "ERROR: Unable to connect" >&2; exit 1' });
    expect(await fencer().check?.(target(), scene().context)).toMatchObject({
      outcome: 'not-ready',
      machine: 'unknown',
      power: 'unknown',
      detail: 'fence_fake: status ended with 1: Unable to connect',
    });
    const parameters = { plug: '{name}', lanpluss: '1' };
    expect(await fencer({ parameters }).check?.(target(), scene().context)).toMatchObject({
      outcome: 'not-ready',
      detail: 'fence_fake: it has no parameter "lanpluss"',
    });
    const without = fencer({ parameters: { plug: '{annotation.none}' } });
    expect(await without.check?.(target(), scene().context)).toMatchObject({
      outcome: 'not-ready',
      detail: 'fence_fake: node-1 has no annotation.none',
    });
  });
});

describe('taking a fence back', () => {
  it('switches on under a permit, and looks whether it is', async () => {
    agent.power = 'off';
    const { context, permitsAfter } = scene();
    expect(await fencer().unfence?.(target(), context)).toEqual({
      outcome: 'unfenced',
      detail: 'fence_fake: on',
    });
    expect(agent.actions).toEqual(['on', 'status']);
    expect(permitsAfter).toEqual([[]]);
    expect(agent.power).toBe('on');
  });

  it('is refused by an agent that does it on the machine itself alone', async () => {
    const xml = metadataWith(['plug!']).replace('<action name="on" />', '<action name="on" on_target="1" />');
    agent.write('metadata.xml', xml);
    const storage = fencer({ proof: 'isolated', csiDrivers: 'all' });
    expect(await storage.unfence?.(target(), scene().context)).toMatchObject({
      outcome: 'failed',
      permanent: true,
    });
    expect(agent.actions).toEqual([]);
  });
});

describe('what it proves', () => {
  it('is that the power is off, unless the operator says that the agent cuts off storage', async () => {
    expect(fencer()).toMatchObject({ acts: 'power', proofs: ['powered-off'] });
    const storage = fencer({ proof: 'isolated', csiDrivers: ['a.csi', 'b.csi'] });
    expect(storage).toMatchObject({ acts: 'storage', proofs: ['isolated'] });
    expect(await storage.fence(target(), scene().context)).toMatchObject({
      proof: 'isolated',
      csiDrivers: ['a.csi', 'b.csi'],
    });
    const all = await fencer({ proof: 'isolated', csiDrivers: 'all' }).fence(target(), scene().context);
    expect(all).toMatchObject({ proof: 'isolated' });
    expect(all).not.toHaveProperty('csiDrivers');
  });
});

describe('no secret', () => {
  it('is in any answer, whatever the agent prints', async () => {
    const password = 'Pa55-"word/+';
    const secretParameters = { password: agent.write('password', password) };
    const leak = `password=$(sed -n 's/^password=//p' "$folder/input.$$"); echo "$password"; echo "ERROR: login with $password refused" >&2`;
    for (const faults of [
      { off: `${leak}; exit 1` },
      { off: `${leak}; echo off >"$folder/power"` },
      { status: `${leak}; exit 1` },
    ]) {
      agent.be(faults);
      const one = fencer({ secretParameters, timeoutMs: 500 });
      const answers = [
        await one.fence(target(), scene().context),
        await one.check?.(target(), scene().context),
      ];
      expect(JSON.stringify(answers)).not.toContain('Pa55');
      expect(JSON.stringify(answers)).toMatch(/redacted|status/);
    }
  });
});

describe('an agent that hands its password to ipmitool', () => {
  it('never gets to know it, since it would be on a command line: ipmitool is told of the file', async () => {
    agent.write(
      'metadata.xml',
      metadataWith(['plug!', 'password', 'passwd', 'ipmitool_path', 'ipmitool_timeout']),
    );
    agent.write('pass', 'Hidden-1');
    agent.write("it's one", 'Hidden-1');
    const path = `${agent.folder}/pass`;
    for (const [name, parameters, file, expected] of [
      ['password', {}, path, `2 -f ${path}`],
      ['passwd', { ipmitool_timeout: '5' }, path, `5 -f ${path}`],
      ['password', {}, `${agent.folder}/it's one`, `2 -f '${agent.folder}/it'"'"'s one'`],
    ] as const) {
      const one = fencer({
        parameters: { plug: '{name}', ...parameters },
        secretParameters: { [name]: file },
      });
      expect(await one.fence(target(), scene().context)).toMatchObject({ outcome: 'fenced' });
      expect(agent.input('off')).toEqual(['action=off', 'plug=node-1', `ipmitool_timeout=${expected}`]);
    }
  });
});
