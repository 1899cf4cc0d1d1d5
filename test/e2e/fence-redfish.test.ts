// Debian's fence_redfish through our driver, against a controller with several machines: which of them is meant is not left to it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AgentFencerOptions,
  agentFencer,
  type FenceContext,
  type FenceTarget,
  systemClock,
} from '@liberator/core';
import { type RedfishBmc, startRedfishBmc } from '@liberator/simulator';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAuthority } from '../../packages/core/src/testing/certificates.ts';
import { needPrograms } from '../fencing/ipmi-machine.ts';
import { watching } from '../fencing/process-watch.ts';

const password = 'Redf1sh-Secret "99" x';
const wrong = 'Wr0ng-Secret';

let bmc: RedfishBmc;
let folder: string;
beforeAll(async () => {
  needPrograms('fence_redfish');
  folder = mkdtempSync(join(tmpdir(), 'fence-redfish-'));
  const authority = createAuthority('a controller of a test');
  writeFileSync(join(folder, 'ca.crt'), authority.cert);
  writeFileSync(join(folder, 'good'), password);
  writeFileSync(join(folder, 'wrong'), wrong);
  bmc = await startRedfishBmc({
    machines: ['node-1', 'node-2', 'node-3'].map((name, index) => ({
      name,
      uuid: `00112233-4455-6677-8899-aabbccddeef${index}`,
    })),
    users: [{ username: 'liberator', password }],
    certificate: authority.issue('127.0.0.1'),
  });
});
afterAll(async () => {
  await bmc.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  bmc.heal();
  // How the SDK under this agent is told which authorities to trust.
  vi.stubEnv('REQUESTS_CA_BUNDLE', join(folder, 'ca.crt'));
});

const target: FenceTarget = {
  name: 'node-2',
  uid: 'u-2',
  deathId: 'd-2',
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: '' },
    addresses: [],
    labels: {},
    annotations: {},
  },
  howToConfirm: 'say so',
};

const fencer = (more: Readonly<Record<string, string>>, file = 'good') =>
  agentFencer({
    name: 'redfish-agent',
    program: 'fence_redfish',
    parameters: {
      ip: '127.0.0.1',
      ipport: new URL(bmc.url).port,
      username: 'liberator',
      ssl_secure: '1',
      power_timeout: '3',
      ...more,
    },
    secretParameters: { password: join(folder, file) },
    environment: ['REQUESTS_CA_BUNDLE'],
    settleMs: 100,
    timeoutMs: 20_000,
  } satisfies AgentFencerOptions);

const context: FenceContext = {
  clock: systemClock,
  signal: new AbortController().signal,
  permit: async () => ({ outcome: 'granted', validForMs: 5_000 }),
};

const systems_uri = '/redfish/v1/Systems/{name}';
const powers = (): readonly string[] => ['node-1', 'node-2', 'node-3'].map((name) => bmc.machine(name).power);

describe('fence_redfish', () => {
  it('switches the machine that is meant and no other, and its credentials are on no command line', async () => {
    const { programs, leaks } = await watching([password, wrong], async () => {
      expect(await fencer({ systems_uri }).check?.(target, context)).toMatchObject({
        outcome: 'ready',
        power: 'on',
      });
      expect(powers()).toEqual(['On', 'On', 'On']);
      expect(await fencer({ systems_uri }).fence(target, context)).toMatchObject({
        outcome: 'fenced',
        proof: 'powered-off',
        detail: 'fence_redfish: off, and still off 0.1 s later',
      });
      expect(powers()).toEqual(['On', 'Off', 'On']);
      expect(await fencer({ systems_uri }).unfence?.(target, context)).toMatchObject({ outcome: 'unfenced' });
    });
    expect(powers()).toEqual(['On', 'On', 'On']);
    expect(programs).toContain('fence_redfish');
    expect(leaks).toEqual([]);
  });

  it('is not run at all when it would choose the machine by itself', async () => {
    const before = bmc.requests.length;
    const one = fencer({ ip: '{name}.bmc.lan' });
    expect(await one.fence(target, context)).toEqual({
      outcome: 'failed',
      permanent: true,
      detail: 'fence_redfish: nothing names the machine: its parameter "systems_uri" is not given',
    });
    expect(bmc.requests.length).toBe(before);
  });

  it('gives no proof with a wrong password, or of a machine that never goes off, and tells no secret', async () => {
    const answers = [
      await fencer({ systems_uri }, 'wrong').fence(target, context),
      await fencer({ systems_uri }, 'wrong').check?.(target, context),
    ];
    expect(answers).toMatchObject([{ outcome: 'failed' }, { outcome: 'not-ready' }]);
    bmc.machine('node-2').faults = { stuck: true };
    answers.push(await fencer({ systems_uri }).fence(target, context));
    expect(answers.at(-1)).toEqual({
      outcome: 'failed',
      detail: 'fence_redfish: off ended with 1: Failed: Timed out waiting to power OFF',
    });
    expect(JSON.stringify(answers)).not.toMatch(/Secret/);
    expect(powers()).toEqual(['On', 'On', 'On']);
  });
});
