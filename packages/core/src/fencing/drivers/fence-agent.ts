// The fencer that runs a fence agent of ClusterLabs, or any program of that protocol: IPMI, Proxmox, vSphere, clouds, power strips.
import { type Clock, sleep } from '../../time/clock.ts';
import type { FenceCheck, FenceCheckContext } from '../fence-check.ts';
import type { FenceContext } from '../fence-context.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { FenceResult, Fencer, UnfenceResult } from '../fencer.ts';
import type { FenceEvidence } from '../proof.ts';
import { Secrets } from '../secrets.ts';
import { AgentCalls, type AgentStatus, AgentTrouble, givenBy } from './fence-agent-calls.ts';
import { unknownParameter } from './fence-agent-metadata.ts';
import { type AgentFencerOptions, agentFencerFault } from './fence-agent-options.ts';
import { whilePermitted } from './permitted-run.ts';

const answerWithinMs = 60_000;
const settledAfterMs = 3_000;

/** For how long a device that says it has switched may take until its status says so as well. */
const switchedWithinMs = 15_000;
const pollMs = 1_000;

/** What is said of the time-out is said by the fencer, which knows what took so long, and not by who asked it. */
const sayItselfMs = 1_000;

/**
 * A fencer that runs a program of the fence agents' protocol: `key=value` lines on its standard input, `off` that ends with 0, and
 * `status` that ends with 2 once the machine is off. Nothing is on its command line, and of its environment only what every program gets.
 *
 * It acts as `off`, and gives its proof when `status` says off at both ends of `settleMs`. The agent runs in a process group of its
 * own, and nothing of it lives on once an answer is there, or was called off, or this process ends in an orderly way. When exactly an
 * agent sends its request nobody can see, so a permit holds at each moment of its `off`: one that runs longer than a permit is asked for
 * anew, and killed when that is refused.
 *
 * Which machine is meant the protocol has no way to tell: it is what the operator's parameters name. Refused are an agent that
 * can't `off` or `status`, one whose metadata knows a parameter for the machine that was not given, and parameters that would mean the
 * same machine for every node.
 *
 * @throws TypeError for options that can't be right, whichever node it is about
 */
export function agentFencer(options: AgentFencerOptions): Fencer {
  const { name, timeoutMs = answerWithinMs } = options;
  const fault = agentFencerFault(options);
  if (fault !== undefined) throw new TypeError(`the fencer ${name}: ${fault}`);
  const proof = options.proof ?? 'powered-off';
  const secrets = new Secrets();
  return {
    name,
    timeoutMs: timeoutMs + sayItselfMs,
    acts: proof === 'powered-off' ? 'power' : 'storage',
    proofs: [proof],
    fence: (target, context) =>
      answered<FenceResult>(context, timeoutMs, secrets, (inTime) => fence(options, target, inTime, secrets)),
    unfence: (target, context) =>
      answered<UnfenceResult>(context, timeoutMs, secrets, (inTime) =>
        unfence(options, target, inTime, secrets),
      ),
    check: (target, context) => check(options, target, context, secrets),
  };
}

async function fence(
  options: AgentFencerOptions,
  target: FenceTarget,
  context: FenceContext,
  secrets: Secrets,
): Promise<FenceResult> {
  const { clock, signal } = context;
  const { settleMs = settledAfterMs } = options;
  const calls = await AgentCalls.prepare(options, target, secrets, ['off', 'status'], signal);
  const evidence: FenceEvidence[] = [];
  const note = (said: string): void => void evidence.push(heard(calls, said, clock));
  note(await acted(calls, 'off', context));
  note((await awaitPower(calls, 'off', context)).said);
  if (!(await sleep(clock, settleMs, signal))) throw new AgentTrouble('called off');
  const { power, said } = await calls.status(signal);
  note(said);
  if (power === 'on') throw new AgentTrouble(`${calls.agent}: it was off and is on again`);
  if (power === 'unknown') throw new AgentTrouble(`${calls.agent}: it was off, and then: ${said}`);
  const detail = `${calls.agent}: off, and still off ${settleMs / 1_000} s later`;
  return { outcome: 'fenced', detail, evidence, ...proofOf(options) };
}

function proofOf(
  options: AgentFencerOptions,
): Pick<FenceResult & { readonly outcome: 'fenced' }, 'proof' | 'csiDrivers'> {
  if (options.proof !== 'isolated') return { proof: 'powered-off' };
  const { csiDrivers } = options;
  return csiDrivers === 'all' ? { proof: 'isolated' } : { proof: 'isolated', csiDrivers };
}

async function unfence(
  options: AgentFencerOptions,
  target: FenceTarget,
  context: FenceContext,
  secrets: Secrets,
): Promise<UnfenceResult> {
  const calls = await AgentCalls.prepare(options, target, secrets, ['on', 'status'], context.signal);
  if (calls.metadata.actions.some(({ name, onTarget }) => name === 'on' && onTarget)) {
    throw new AgentTrouble(`${calls.agent}: its "on" works only on the machine itself`, true);
  }
  await acted(calls, 'on', context);
  await awaitPower(calls, 'on', context);
  return { outcome: 'unfenced', detail: `${calls.agent}: on` };
}

/** Resolves with what it said. */
async function acted(calls: AgentCalls, action: 'on' | 'off', context: FenceContext): Promise<string> {
  const run = await whilePermitted(context, (signal) => calls.act(action, signal));
  if (run.outcome === 'refused') {
    const what = run.begun ? `"${action}" was called off` : `"${action}" was not begun`;
    throw new AgentTrouble(`${calls.agent}: ${what}: ${run.detail}`);
  }
  if (!run.result.ok) throw new AgentTrouble(`${calls.agent}: ${run.result.said}`);
  return run.result.said;
}

/** What was accepted may take its time; one that never does it must not keep the next rung waiting. */
async function awaitPower(
  calls: AgentCalls,
  wanted: 'on' | 'off',
  { clock, signal }: Pick<FenceContext, 'clock' | 'signal'>,
): Promise<AgentStatus> {
  const until = clock.now() + switchedWithinMs;
  for (;;) {
    const status = await calls.status(signal);
    if (status.power === wanted) return status;
    if (clock.now() >= until || !(await sleep(clock, pollMs, signal))) {
      throw new AgentTrouble(`${calls.agent}: "${wanted}" was done, and then: ${status.said}`);
    }
  }
}

async function check(
  options: AgentFencerOptions,
  target: FenceTarget,
  { signal, clock }: FenceCheckContext,
  secrets: Secrets,
): Promise<FenceCheck> {
  const another = options.node !== undefined && options.node !== target.name;
  const machine = another ? 'mismatched' : 'unknown';
  const nobody = { machine, power: 'unknown', mayAct: 'unknown' } as const;
  try {
    const calls = await AgentCalls.prepare(options, target, secrets, ['off', 'status'], signal);
    const unknown = unknownParameter(calls.metadata, givenBy(options).names);
    if (unknown !== undefined) {
      return { ...nobody, outcome: 'not-ready', detail: `${calls.agent}: it has no parameter "${unknown}"` };
    }
    const { power, said } = await calls.status(signal);
    const evidence = [heard(calls, said, clock)];
    if (power === 'unknown') {
      return { ...nobody, outcome: 'not-ready', detail: `${calls.agent}: ${said}`, evidence };
    }
    const detail = `${calls.agent}: ${said}; whether it may switch shows when it is tried`;
    return { outcome: 'ready', machine: 'chosen', power, mayAct: 'unknown', detail, evidence };
  } catch (error) {
    if (!(error instanceof AgentTrouble)) throw error;
    return { ...nobody, outcome: 'not-ready', detail: secrets.redact(error.message) };
  }
}

function heard({ agent }: AgentCalls, said: string, clock: Clock): FenceEvidence {
  return { witness: agent, said, at: new Date(clock.wallTime()).toISOString() };
}

type Failure = { readonly outcome: 'failed'; readonly detail: string; readonly permanent?: true };

/** Within its time, and with trouble told as a result. */
async function answered<T>(
  context: FenceContext,
  timeoutMs: number,
  secrets: Secrets,
  ask: (inTime: FenceContext) => Promise<T>,
): Promise<T | Failure> {
  const { clock } = context;
  const late = new AbortController();
  const timer = clock.setTimeout(() => late.abort(), timeoutMs);
  const signal = AbortSignal.any([context.signal, late.signal]);
  try {
    return await ask({ clock, signal, permit: () => context.permit() });
  } catch (error) {
    if (!(error instanceof AgentTrouble)) throw error;
    const { permanent } = error;
    const said = secrets.redact(error.message);
    if (context.signal.aborted) return { outcome: 'failed', detail: 'called off' };
    if (late.signal.aborted) {
      return { outcome: 'failed', detail: `no answer within ${timeoutMs / 1_000} s: ${said}` };
    }
    return { outcome: 'failed', detail: said, ...(permanent && { permanent }) };
  } finally {
    clock.clearTimeout(timer);
  }
}
