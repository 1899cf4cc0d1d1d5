// A machine behind a fake fence agent, as the conformance suite of drivers wants to see one.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceCondition, FencerProcess, FencerScene } from '../fencing/conformance/bench.ts';
import { agentFencer } from '../fencing/drivers/fence-agent.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import { FakeAgent, type FakeAgentFaults } from './fake-agent.ts';

const secret = 'Hidden-Agent-Password-7';

const targetCalled = (name: string): FenceTarget => ({
  name,
  uid: `u-${name}`,
  deathId: `d-${name}`,
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: '' },
    addresses: [],
    labels: {},
    annotations: {},
  },
  howToConfirm: 'say so',
});

/** Whoever asks for a change notes when it came, and each change of the power is counted. */
const noted = (word: 'on' | 'off'): string =>
  `date +%s%N >>"$folder/harms"; [ "$(cat "$folder/power")" = ${word} ] || { echo ${word} >"$folder/power"; echo x >>"$folder/changes"; }; echo "Success: Powered ${word.toUpperCase()}"`;
const arrived = 'date +%s%N >>"$folder/harms"; ';
const status =
  'if [ "$(cat "$folder/power")" = off ]; then echo "Status: OFF"; exit 2; fi; echo "Status: ON"';

function faultsOf(condition: DeviceCondition, slowMs: number): FakeAgentFaults {
  const refusal = 'echo "ERROR: Unable to connect" >&2; exit 1';
  const pause = `sleep ${slowMs / 1_000}; `;
  switch (condition) {
    case 'well':
      return { on: noted('on'), off: noted('off'), status };
    case 'slow':
      return { on: `${noted('on')}; ${pause}`, off: `${noted('off')}; ${pause}`, status: pause + status };
    case 'hanging':
      return { on: `${arrived}sleep 600`, off: `${arrived}sleep 600`, status: 'sleep 600' };
    case 'refusing':
    case 'unreachable':
      return { on: refusal, off: refusal, status: refusal };
    case 'stuck':
      return { on: `${arrived}echo done`, off: `${arrived}echo done`, status };
  }
}

/** @param slowMs how long a slow agent takes */
export async function openAgentScene(slowMs: number): Promise<FencerScene> {
  const agent = new FakeAgent(faultsOf('well', slowMs));
  const password = agent.write('password', secret);
  const lines = (name: string): readonly string[] =>
    agent
      .read(name)
      .split('\n')
      .filter((line) => line !== '');
  // Wall time of the script to the monotonic one of the suite.
  const offset = performance.now() - Date.now();
  return {
    fencer: () =>
      agentFencer({
        name: 'agent',
        program: agent.program,
        parameters: { plug: '{name}' },
        secretParameters: { password },
        node: 'node-1',
        settleMs: 50,
        timeoutMs: 8_000,
      }),
    target: targetCalled('node-1'),
    wrongTarget: targetCalled('node-2'),
    secrets: [secret],
    harms: () =>
      lines('harms').map((line) => ({ what: 'the agent was run', at: Number(line) / 1e6 + offset })),
    truth: () => ({ fenced: agent.power === 'off', changes: lines('changes').length }),
    set: (condition) => agent.be(faultsOf(condition, slowMs)),
    processes: () => runningFrom(agent.program),
    async [Symbol.asyncDispose]() {
      agent[Symbol.dispose]();
    },
  };
}

function runningFrom(program: string): readonly FencerProcess[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const environment = readFileSync(join('/proc', pid, 'environ'), 'latin1');
      const command = readFileSync(join('/proc', pid, 'cmdline'), 'latin1');
      const ours = command.includes(program) && environment.includes('LIBERATOR_FENCE_RUN=');
      return ours && statSync(join('/proc', pid)).isDirectory()
        ? [{ pid: Number(pid), visible: `${command}\n${environment}` }]
        : [];
    } catch {
      return [];
    }
  });
}
