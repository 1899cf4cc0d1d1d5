// Fence agents of Debian as they are: IPMI from our driver down to a chassis, with controllers that are good, slow, stuck, lying,
// gone, or of another mind about who may do what.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type AgentFencerOptions,
  agentFencer,
  type FenceContext,
  type FenceTarget,
  systemClock,
} from '@liberator/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readMetadata } from '../../packages/core/src/fencing/drivers/fence-agent-metadata.ts';
import { runProgram } from '../../packages/core/src/fencing/drivers/fence-agent-process.ts';
import { IpmiMachine, needPrograms } from '../fencing/ipmi-machine.ts';
import { watching } from '../fencing/process-watch.ts';

const passwords = { admin: 'Adm1n-Secret-77', viewer: 'V1ewer-Secret-88' };

const target: FenceTarget = {
  name: 'node-1',
  uid: 'u-1',
  deathId: 'd-1',
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: '' },
    addresses: [{ type: 'BMC', address: '127.0.0.1' }],
    labels: {},
    annotations: {},
  },
  howToConfirm: 'say so',
};

let machine: IpmiMachine;
beforeAll(async () => {
  needPrograms('fence_ipmilan', 'ipmitool', 'ipmi_sim');
  machine = await IpmiMachine.start(passwords);
});
afterAll(() => machine[Symbol.asyncDispose]());
beforeEach(() => {
  machine.fault = 'none';
  machine.power = 'on';
});

interface Login {
  readonly user?: string;
  readonly file?: string;
  readonly port?: number;
  readonly timeoutMs?: number;
}

/** With ipmi_sim each call takes 10 s where no cipher suite is named. */
function options({ user = 'admin', file = user, port, timeoutMs = 20_000 }: Login): AgentFencerOptions {
  const path = join(machine.folder, file);
  return {
    name: 'ipmi',
    program: 'fence_ipmilan',
    parameters: {
      ip: '{address.BMC}',
      ipport: String(port ?? machine.port),
      username: user,
      lanplus: '1',
      cipher: '3',
      power_timeout: '3',
      ipmitool_timeout: '1',
      ...(user === 'viewer' && { privlvl: 'user' }),
    },
    hosts: ['127.0.0.1'],
    secretParameters: { password: path },
    settleMs: 200,
    timeoutMs,
  };
}

function context(signal: AbortSignal = new AbortController().signal): FenceContext {
  return { clock: systemClock, signal, permit: async () => ({ outcome: 'granted', validForMs: 5_000 }) };
}

const fence = (login: Login = {}, signal?: AbortSignal) =>
  agentFencer(options(login)).fence(target, context(signal));
const check = (login: Login = {}) => agentFencer(options(login)).check?.(target, context());
const since = (before: readonly string[]): readonly string[] => machine.switched.slice(before.length);

/** Command lines of what still runs of an agent. */
function agentsLeft(): readonly string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const mine = readFileSync(`/proc/${pid}/environ`, 'utf8').includes('LIBERATOR_FENCE_RUN=');
      return mine ? [words.join(' ')] : [];
    } catch {
      return [];
    }
  });
}

describe('IPMI', () => {
  it('checks, switches off with proof, does the same again, and switches on again', async () => {
    const before = machine.switched;
    expect(await check()).toMatchObject({
      outcome: 'ready',
      machine: 'chosen',
      power: 'on',
      mayAct: 'unknown',
    });
    expect(since(before)).toEqual([]);
    const fenced = await fence();
    expect(fenced).toMatchObject({
      outcome: 'fenced',
      proof: 'powered-off',
      detail: 'fence_ipmilan: off, and still off 0.2 s later',
    });
    expect(fenced).toMatchObject({
      evidence: [{ said: 'off done: Success: Powered OFF' }, { said: 'status off' }, { said: 'status off' }],
    });
    expect([machine.power, since(before)]).toEqual(['off', ['set power 0']]);
    expect(await fence()).toMatchObject({ outcome: 'fenced' });
    expect(since(before)).toEqual(['set power 0']);
    expect(await check()).toMatchObject({ outcome: 'ready', power: 'off' });
    expect(await agentFencer(options({})).unfence?.(target, context())).toEqual({
      outcome: 'unfenced',
      detail: 'fence_ipmilan: on',
    });
    expect(machine.power).toBe('on');
  });
});

describe('credentials', () => {
  it('are on no command line and in no environment while agents run', async () => {
    const { programs, leaks } = await watching(Object.values(passwords), async () => {
      for (let times = 0; times < 3; times++) {
        await check();
        await fence();
        await check({ user: 'viewer' });
        machine.power = 'on';
      }
    });
    expect(programs).toEqual(expect.arrayContaining(['fence_ipmilan', 'ipmitool']));
    expect(leaks).toEqual([]);
  });

  it('that are wrong, or nobody to give them to, look alike, and give no proof', async () => {
    const before = machine.switched;
    for (const login of [
      { file: 'viewer' },
      { user: 'nobody', file: 'admin' },
      { port: 9 },
    ] satisfies Login[]) {
      const answers = [await fence(login), await check(login)];
      expect(answers).toMatchObject([{ outcome: 'failed' }, { outcome: 'not-ready', power: 'unknown' }]);
      expect(answers[0]?.detail).toMatch(
        /^fence_ipmilan: off ended with 1: (?:Connection timed out|Failed: Unable to obtain correct plug status or plug is not available)$/,
      );
      expect(JSON.stringify(answers)).not.toMatch(/Secret/);
    }
    expect([machine.power, since(before)]).toEqual(['on', []]);
  });

  it('of somebody who may only look pass the check, and give no proof', async () => {
    const before = machine.switched;
    expect(await check({ user: 'viewer' })).toMatchObject({
      outcome: 'ready',
      power: 'on',
      mayAct: 'unknown',
    });
    expect(await fence({ user: 'viewer' })).toEqual({
      outcome: 'failed',
      detail: 'fence_ipmilan: off ended with 1: Failed: Timed out waiting to power OFF',
    });
    expect([machine.power, since(before)]).toEqual(['on', []]);
  });
});

describe('a controller', () => {
  it('that accepts and never acts gives no proof', async () => {
    machine.fault = 'stuck';
    expect(await fence()).toEqual({
      outcome: 'failed',
      detail: 'fence_ipmilan: off ended with 1: Failed: Timed out waiting to power OFF',
    });
    expect(machine.power).toBe('on');
  });

  it('that says off when it is on is believed: nobody else can tell', async () => {
    const before = machine.switched;
    machine.fault = 'lying';
    expect(await fence()).toMatchObject({
      outcome: 'fenced',
      evidence: [{ said: 'off done: Success: Already OFF' }, {}, {}],
    });
    expect([machine.power, since(before)]).toEqual(['on', []]);
  });

  it('that hangs costs its time and no more, and nothing of the agent lives to act when it goes on', async () => {
    const before = machine.switched;
    machine.hang();
    try {
      const startedAt = performance.now();
      expect(await fence({ timeoutMs: 1_500 })).toEqual({
        outcome: 'failed',
        detail: 'no answer within 1.5 s: fence_ipmilan: off was called off',
      });
      expect(performance.now() - startedAt).toBeLessThan(4_000);
      expect(agentsLeft()).toEqual([]);
    } finally {
      machine.goOn();
    }
    await pause(2_000);
    expect([machine.power, since(before)]).toEqual(['on', []]);
  });

  it('is not asked any further once the fence was called off', async () => {
    const abort = new AbortController();
    machine.hang();
    try {
      const fencing = fence({}, abort.signal);
      while (!agentsLeft().some((command) => command.startsWith('/usr/bin/ipmitool'))) await pause(5);
      abort.abort();
      expect(await fencing).toEqual({ outcome: 'failed', detail: 'called off' });
      expect(agentsLeft()).toEqual([]);
    } finally {
      machine.goOn();
    }
    await pause(500);
    expect(machine.power).toBe('on');
  });
});

describe('the agents of Debian', () => {
  it('say of themselves what can be read', async () => {
    /** Programs that want other software, and one that is no agent. */
    const others = ['fence_ack_manual', 'fence_virtd', 'fence_xvm'];
    const names = readdirSync('/usr/sbin').filter((name) => /^fence_/.test(name) && !others.includes(name));
    expect(names.length).toBeGreaterThan(60);
    const { signal } = new AbortController();
    const unread: string[] = [];
    for (const name of names) {
      const end = await runProgram({
        program: join('/usr/sbin', name),
        input: 'action=metadata\n',
        environment: {},
        signal,
        harms: false,
      });
      const metadata = end.outcome === 'ended' ? readMetadata(end.stdout) : undefined;
      if (metadata === undefined || metadata.parameters.length === 0) unread.push(name);
    }
    expect(unread).toEqual([]);
  });
});
