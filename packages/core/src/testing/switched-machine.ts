// A machine behind a switch that takes its time, and a driver for it that can have any one fault: the suite's own counterpart.
import type { DeviceCondition, FenceHarm, FencerProcess, FencerScene } from '../fencing/conformance/bench.ts';
import type { FenceCheck } from '../fencing/fence-check.ts';
import type { FenceContext } from '../fencing/fence-context.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import type { FenceResult, Fencer } from '../fencing/fencer.ts';
import { whichMachine } from '../fencing/which-machine.ts';
import { type Clock, sleep } from '../time/clock.ts';

const password = 'correct horse battery';
const uuid = '00112233-4455-6677-8899-aabbccddeeff';

/** How long the switch thinks when it is `slow`, in milliseconds. */
const slowMs = 1_000;

/** Its answers and errors are those of a device: words in which it repeats what it was asked with. */
class SwitchedMachine {
  readonly harms: FenceHarm[] = [];
  readonly programs = new Map<number, FencerProcess>();
  readonly clock: Clock;
  condition: DeviceCondition = 'well';
  on = true;
  changes = 0;
  #pid = 100;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  async look(
    signal: AbortSignal,
  ): Promise<{ readonly id: string; readonly uuid: string; readonly on: boolean }> {
    await this.#travel(signal);
    const { on } = this;
    await this.#answer(signal);
    return { id: 'outlet-1', uuid, on };
  }

  async order(want: 'on' | 'off' | 'toggle', signal: AbortSignal): Promise<void> {
    await this.#travel(signal);
    this.harms.push({ what: `order ${want}`, at: this.clock.now() });
    const on = want === 'toggle' ? !this.on : want === 'on';
    const obeys = this.condition === 'well' || this.condition === 'slow';
    if (obeys && on !== this.on) {
      this.on = on;
      this.changes++;
    }
    await this.#answer(signal);
  }

  start(visible: string): { stop(): void } {
    const pid = this.#pid++;
    this.programs.set(pid, { pid, visible });
    return { stop: () => void this.programs.delete(pid) };
  }

  async #travel(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await sleep(this.clock, 1, signal);
    signal.throwIfAborted();
    if (this.condition === 'unreachable') throw new Error('connect ECONNREFUSED');
  }

  async #answer(signal: AbortSignal): Promise<void> {
    if (this.condition === 'slow') await sleep(this.clock, slowMs, signal);
    if (this.condition === 'hanging') await sleep(this.clock, Number.POSITIVE_INFINITY, signal);
    signal.throwIfAborted();
    if (this.condition === 'refusing') throw new Error(`503 to admin:${password}`);
  }
}

/** What may be wrong with the driver, one at a time. */
export const faults = [
  'gives a proof that there is none of',
  'gives a proof that it did not announce',
  'proves nothing',
  'has no words',
  'dates its evidence by a duration',
  'believes an order',
  'cuts the power anew each time',
  'takes "already off" for a failure',
  'cycles the power after a change of leader',
  'needs the Node',
  'takes any machine',
  'asks again about the wrong machine',
  'repeats an order on an old permit',
  'takes no refusal',
  'asks for no permit',
  'asks before it looks',
  'goes on after its permit',
  'leaves a program behind',
  'waits for a device in vain',
  'has no time-out of its own',
  'ignores its signal',
  'rejects for trouble',
  'rejects a look for trouble',
  'rejects to take back for trouble',
  'never recovers',
  'gives up an unreachable device for good',
  'counts milliseconds',
  'counts milliseconds of a look',
  'repeats what the device says',
  'logs its password',
  'writes its password to stderr',
  'has its password in its evidence',
  'has its password on a command line',
  'acts when it looks',
  'guesses the power',
  'answers a look with a word of its own',
  'is always ready',
  'looks for ever',
  'looks at any machine',
  'toggles to take back',
  'takes back without a permit',
  'names another device each time',
  'needs labels to name its device',
] as const;

export type Fault = (typeof faults)[number];

const timeoutMs = 2_000;

function fencerOf(machine: SwitchedMachine, fault: Fault | undefined, place: number): Fencer {
  const has = (one: Fault): boolean => one === fault;
  const { clock } = machine;
  let troubled: FenceResult | undefined;
  let named = 0;

  const words = (error: unknown): string => {
    const text = error instanceof Error ? error.message : String(error);
    return has('repeats what the device says') ? text : text.replaceAll(password, '[redacted]');
  };

  /** With the driver's own time-out, unless that is what it lacks. */
  const within = async <T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const own = new AbortController();
    const timer = clock.setTimeout(() => own.abort(new Error('no answer in time')), timeoutMs);
    try {
      return await work(has('has no time-out of its own') ? signal : AbortSignal.any([signal, own.signal]));
    } finally {
      clock.clearTimeout(timer);
    }
  };

  const deaf = has('ignores its signal') ? new AbortController().signal : undefined;

  const fence = async (
    target: FenceTarget,
    context: FenceContext,
    signal: AbortSignal,
  ): Promise<FenceResult> => {
    const began = clock.now();
    const off = (): FenceResult => ({
      outcome: 'fenced',
      proof: has('proves nothing')
        ? 'none'
        : has('gives a proof that there is none of')
          ? ('off' as 'rebooted')
          : 'powered-off',
      detail: has('has no words')
        ? ' '
        : has('counts milliseconds')
          ? `off after ${clock.now() - began} ms`
          : 'the outlet is off',
      evidence: [
        {
          witness: has('has its password in its evidence') ? `https://admin:${password}@switch` : 'switch',
          said: 'off',
          at: has('dates its evidence by a duration') ? 'just now' : new Date(clock.wallTime()).toISOString(),
        },
      ],
    });
    if (has('needs the Node') && target.node === undefined) {
      return { outcome: 'failed', detail: 'there is no such Node' };
    }
    const early = has('asks before it looks') ? await context.permit() : undefined;
    const inVain = has('waits for a device in vain') ? new AbortController().signal : undefined;
    const seen = await within(inVain ?? signal, (within) => machine.look(within));
    signal.throwIfAborted();
    const which = whichMachine([seen], target, 'outlet-1');
    if (which.outcome === 'refused' && !has('takes any machine')) {
      const { detail } = which;
      return has('asks again about the wrong machine')
        ? { outcome: 'failed', detail }
        : { outcome: 'failed', detail, permanent: true };
    }
    const cycles =
      has('cuts the power anew each time') || (has('cycles the power after a change of leader') && place > 1);
    if (!seen.on && has('takes "already off" for a failure'))
      return { outcome: 'failed', detail: '409: off already' };
    if (!seen.on && !cycles) return off();
    for (const want of seen.on ? (['off'] as const) : (['on', 'off'] as const)) {
      if (!has('asks for no permit')) {
        const permit = early ?? (await context.permit());
        if (permit.outcome === 'refused' && !has('takes no refusal'))
          return { outcome: 'failed', detail: permit.detail };
      }
      if (!has('goes on after its permit')) signal.throwIfAborted();
      const sendBy = has('goes on after its permit') ? new AbortController().signal : signal;
      await within(sendBy, (within) => machine.order(want, within));
    }
    if (has('believes an order')) return off();
    if (!(await within(signal, (within) => machine.look(within))).on) return off();
    if (has('repeats an order on an old permit'))
      await within(signal, (within) => machine.order('off', within));
    return { outcome: 'waiting', detail: 'the outlet was told to go off', retryAfterMs: 500 };
  };

  const unfence: NonNullable<Fencer['unfence']> = async (_, { signal, permit }) => {
    try {
      const seen = await within(signal, (within) => machine.look(within));
      if (seen.on && !has('toggles to take back')) return { outcome: 'unfenced', detail: 'the outlet is on' };
      if (!has('takes back without a permit')) {
        const permitted = await permit();
        if (permitted.outcome === 'refused') return { outcome: 'failed', detail: permitted.detail };
      }
      signal.throwIfAborted();
      const want = has('toggles to take back') ? 'toggle' : 'on';
      await within(signal, (within) => machine.order(want, within));
      return { outcome: 'unfenced', detail: 'the outlet is on' };
    } catch (error) {
      if (has('rejects to take back for trouble')) throw new Error(words(error));
      return { outcome: 'failed', detail: words(error) };
    }
  };

  const check: NonNullable<Fencer['check']> = async (target, { signal }): Promise<FenceCheck> => {
    const began = clock.now();
    const answer = { power: 'unknown', mayAct: 'unknown' } as const;
    try {
      const deafTo = has('looks for ever') ? new AbortController().signal : signal;
      const seen = has('looks for ever')
        ? await machine.look(deafTo)
        : await within(signal, (within) => machine.look(within));
      const which = whichMachine([seen], target, 'outlet-1');
      if (which.outcome === 'refused' && !has('looks at any machine')) {
        return { ...answer, outcome: 'not-ready', machine: 'mismatched', detail: which.detail };
      }
      if (has('acts when it looks')) await machine.order('on', signal);
      return {
        outcome: 'ready',
        machine: 'matched',
        power: seen.on || has('guesses the power') ? 'on' : 'off',
        mayAct: has('answers a look with a word of its own') ? ('maybe' as 'unknown') : 'unknown',
        detail: has('counts milliseconds of a look') ? `at ${began} ms` : 'the switch answers',
      };
    } catch (error) {
      if (has('rejects a look for trouble')) throw new Error(words(error));
      const outcome = has('is always ready') ? 'ready' : 'not-ready';
      return { ...answer, outcome, machine: 'unknown', detail: words(error) };
    }
  };

  return {
    name: 'switch',
    timeoutMs,
    acts: 'power',
    proofs: [has('gives a proof that it did not announce') ? 'rebooted' : 'powered-off'],
    device({ noted }) {
      if (has('needs labels to name its device') && noted.labels['rack'] === undefined)
        throw new Error('no rack');
      return { key: has('names another device each time') ? `switch-${named++}` : 'switch', concurrency: 1 };
    },
    async fence(target, context) {
      if (has('logs its password')) console.error(`logging in with ${password}`);
      if (has('writes its password to stderr')) process.stderr.write(`logging in with ${password}\n`);
      const secret = has('has its password on a command line') ? password : '';
      const program = machine.start(`switch --password ${secret}`);
      const signal = deaf ?? context.signal;
      try {
        if (troubled !== undefined && has('never recovers')) return troubled;
        const result = await fence(target, context, signal);
        program.stop();
        return result;
      } catch (error) {
        troubled = { outcome: 'failed', detail: words(error) };
        if (!has('leaves a program behind')) program.stop();
        if (has('rejects for trouble')) throw new Error(words(error));
        const forGood = has('gives up an unreachable device for good') && machine.condition === 'unreachable';
        return { outcome: 'failed', detail: words(error), ...(forGood && { permanent: true as const }) };
      }
    },
    check,
    unfence,
  };
}

/** A scene for the suite, whose fencers have that fault, or none. */
export function switchedMachine(clock: Clock, fault?: Fault): FencerScene {
  const machine = new SwitchedMachine(clock);
  const noted = (systemUuid: string) => ({
    machine: { systemUuid, machineId: '', providerId: '' },
    addresses: [],
    labels: { rack: 'r1' },
    annotations: {},
  });
  const target = {
    name: 'node-1',
    uid: 'uid-1',
    deathId: 'death-1',
    noted: noted(uuid),
    node: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'node-1', uid: 'uid-1', resourceVersion: '1' },
    },
    howToConfirm: '',
  };
  let places = 0;
  return {
    target,
    wrongTarget: { ...target, name: 'node-2', noted: noted('4c4c4544-0035-5810-8052-b4c04f4a4d31') },
    secrets: [password],
    fencer: () => fencerOf(machine, fault, ++places),
    harms: () => machine.harms,
    truth: () => ({ fenced: !machine.on, changes: machine.changes }),
    set: (condition) => {
      machine.condition = condition;
    },
    processes: () => [...machine.programs.values()],
    async [Symbol.asyncDispose]() {},
  };
}
