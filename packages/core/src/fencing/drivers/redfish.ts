// The fencer that asks a machine's own management controller, over Redfish, to cut its power.
import { type Clock, sleep } from '../../time/clock.ts';
import { deviceAddress } from '../device-address.ts';
import type { FenceCheck, FenceCheckContext } from '../fence-check.ts';
import type { FenceContext } from '../fence-context.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { FenceResult, Fencer, UnfenceResult } from '../fencer.ts';
import type { FenceEvidence } from '../proof.ts';
import { Secrets } from '../secrets.ts';
import { fillIn, TemplateError } from '../template.ts';
import { Trouble } from './device-trouble.ts';
import { mayReset } from './redfish-account.ts';
import { Door } from './redfish-door.ts';
import { findMachine, type Machine, readMachine, type System } from './redfish-machine.ts';
import { checkRedfishOptions, type RedfishOptions } from './redfish-options.ts';
import { type Accepted, awaitTask, NotPermitted, type ResetType, reset } from './redfish-reset.ts';

const askAgainMs = 1_000;
/** However long a device wants to be left alone: a rung has no more time than that. */
const longestPauseMs = 30_000;
/** What is left of the fencer's time for the answer itself. */
const lastWordsMs = 2_000;

/**
 * Cuts a machine's power through its management controller, and proves it by the controller's word that it is off, given twice.
 *
 * - The machine is identified anew right before the act, by the UUID that its Node reported, in either byte order; exactly one
 *   system must have it. Where nobody can tell, nothing is sent, and the failure is permanent.
 * - `ForceOff` is always sent, also to a machine that reads Off: after a restart of the controller that reading may be wrong.
 * - What the service says to it proves nothing. Off has to be read at both ends of {@link RedfishOptions.settleMs}.
 * - Basic auth only: a session that a crashed leader left open takes one of few places.
 * - Redirects are followed within the same origin only.
 *
 * It cannot tell a controller that lies. What proves more is a second device.
 *
 * `check` reads what `fence` would read, and the role of the account where the service shows it. `unfence` switches the power on.
 *
 * @throws TypeError for options that contradict one another: see {@link RedfishOptions}.
 */
export function redfishFencer(options: RedfishOptions): Fencer {
  checkRedfishOptions(options);
  const secrets = new Secrets();
  const { device } = options;
  return {
    name: options.name,
    acts: 'power',
    proofs: ['powered-off'],
    timeoutMs: options.timeoutMs ?? 180_000,
    ...(device !== undefined && { device }),
    fence: (target, context) => new Asking(options, secrets, target, context).fence(context),
    check: (target, context) => new Asking(options, secrets, target, context).check(),
    unfence: (target, context) => new Asking(options, secrets, target, context).unfence(context),
  };
}

/** One answer of the fencer, from its first request to its last. */
class Asking {
  readonly #options: RedfishOptions;
  readonly #secrets: Secrets;
  readonly #target: FenceTarget;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #evidence: FenceEvidence[] = [];
  readonly #begunAt: number;
  #origin = '';

  constructor(options: RedfishOptions, secrets: Secrets, target: FenceTarget, context: FenceCheckContext) {
    this.#options = options;
    this.#secrets = secrets;
    this.#target = target;
    this.#clock = context.clock;
    this.#signal = context.signal;
    this.#begunAt = context.clock.now();
  }

  async fence(context: FenceContext): Promise<FenceResult> {
    try {
      await using door = await this.#open();
      const machine = await this.#find(door);
      this.#mustAllow(machine.system, 'ForceOff');
      if (machine.system.power === undefined) throw new Trouble(`${machine.system.id} names no PowerState`);
      const accepted = await this.#reset(door, machine, 'ForceOff', context);
      const pending = await this.#untilDone(door, accepted);
      if (pending !== undefined) return pending;
      const off = await this.#untilPower(door, machine, 'Off');
      if (off !== undefined) return off;
      return await this.#settle(door, machine);
    } catch (error) {
      return this.#failureOf(error);
    }
  }

  async unfence(context: FenceContext): Promise<UnfenceResult> {
    try {
      await using door = await this.#open();
      const machine = await this.#find(door);
      const { power, allowed, id } = machine.system;
      const detail = this.#say(`${id} is on`);
      if (power === 'On') return { outcome: 'unfenced', detail };
      const type = allowed?.includes('On') === false && allowed.includes('ForceOn') ? 'ForceOn' : 'On';
      this.#mustAllow(machine.system, type);
      const accepted = await this.#reset(door, machine, type, context);
      const pending =
        (await this.#untilDone(door, accepted)) ?? (await this.#untilPower(door, machine, 'On'));
      return pending ?? { outcome: 'unfenced', detail };
    } catch (error) {
      return this.#failureOf(error);
    }
  }

  async check(): Promise<FenceCheck> {
    const found: { machine: FenceCheck['machine']; power: FenceCheck['power'] } = {
      machine: 'unknown',
      power: 'unknown',
    };
    try {
      await using door = await this.#open();
      const machine = await this.#find(door);
      const { system } = machine;
      found.machine = machine.by;
      found.power = system.power === 'On' ? 'on' : system.power === 'Off' ? 'off' : 'unknown';
      if (system.power === undefined) throw new Trouble(`${system.id} names no PowerState`);
      if (system.resetPath === undefined) throw new Trouble(`${system.id} says nowhere how it is switched`);
      this.#mustAllow({ ...system, allowed: system.allowed ?? (await allowedIn(door, system)) }, 'ForceOff');
      const mayAct = await mayReset(door, this.#signal);
      if (mayAct === 'no') {
        throw new Trouble('the account may not switch machines: its role lacks ConfigureComponents', {
          kind: 'access',
        });
      }
      const detail = this.#say(`${system.id} is the machine, and could be switched off`);
      return { outcome: 'ready', ...found, mayAct, detail, evidence: this.#evidence };
    } catch (error) {
      const failure = this.#failureOf(error);
      const kind = error instanceof Trouble ? error.kind : 'device';
      return {
        outcome: 'not-ready',
        machine: kind === 'machine' ? 'mismatched' : found.machine,
        power: found.power,
        mayAct: kind === 'access' ? 'no' : 'unknown',
        detail: failure.detail,
        ...(this.#evidence.length > 0 && { evidence: this.#evidence }),
      };
    }
  }

  async #open(): Promise<Door> {
    const {
      address,
      hosts,
      username,
      password,
      ca,
      requestTimeoutMs = 25_000,
      timeoutMs = 180_000,
    } = this.#options;
    const { origin } = deviceAddress(address, this.#target, hosts);
    this.#origin = origin;
    const file = (template: string): string => fillIn(template, this.#target, 'segment');
    return Door.open({
      origin,
      username: file(username),
      password: file(password),
      ca: ca === undefined ? undefined : file(ca),
      secrets: this.#secrets,
      clock: this.#clock,
      signal: this.#signal,
      // Whoever has less time as a whole still wants to say why.
      requestTimeoutMs: Math.min(requestTimeoutMs, timeoutMs / 2),
    });
  }

  async #find(door: Door): Promise<Machine> {
    const { system } = this.#options;
    const chosen = system === undefined ? undefined : fillIn(system, this.#target, 'segment');
    const machine = await findMachine(door, this.#target, chosen);
    const { id, uuid, power } = machine.system;
    this.#note(id, `UUID ${uuid || 'unknown'}, PowerState ${power ?? 'unknown'}`);
    return machine;
  }

  #mustAllow({ id, allowed }: System, type: ResetType): void {
    if (allowed?.includes(type) === false) {
      throw new Trouble(`${id} allows no ${type}`, { permanent: true });
    }
  }

  async #reset(door: Door, machine: Machine, type: ResetType, context: FenceContext): Promise<Accepted> {
    const accepted = await reset({ door, machine, target: this.#target, type, context });
    this.#note(machine.system.id, accepted.said);
    return accepted;
  }

  async #untilDone(door: Door, { monitor }: Accepted): Promise<Waiting | undefined> {
    if (monitor === undefined) return undefined;
    const [clock, signal, until] = [this.#clock, this.#signal, this.#until()];
    const state = await awaitTask(door, monitor, { clock, signal, until });
    return state === 'done' ? undefined : this.#wait('the task for it has not ended');
  }

  /** Undefined once the power reads as wanted. What passes by itself is waited for: some controllers stumble over a reset. */
  async #untilPower(door: Door, machine: Machine, wanted: 'On' | 'Off'): Promise<Waiting | undefined> {
    const until = this.#until();
    for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 2_000)) {
      const found = await this.#read(door, machine);
      if (found === wanted) return undefined;
      const left = until - this.#clock.now();
      if (left <= 0) {
        if (found instanceof Trouble) throw found;
        return this.#wait(`the request was taken, and ${machine.system.id} still reads ${found}`);
      }
      await this.#sleep(Math.min(left, pauseMs));
    }
  }

  async #settle(door: Door, machine: Machine): Promise<FenceResult> {
    const { settleMs = 3_000 } = this.#options;
    await this.#sleep(settleMs);
    const found = await this.#read(door, machine);
    if (found instanceof Trouble) throw found;
    const { id } = machine.system;
    if (found !== 'Off') throw new Trouble(`${id} read Off, and ${found} within ${settleMs / 1_000} s`);
    return {
      outcome: 'fenced',
      proof: 'powered-off',
      detail: this.#say(`${id} is off, and stayed so for ${settleMs / 1_000} s`),
      evidence: this.#evidence,
    };
  }

  async #read(door: Door, machine: Machine): Promise<string | Trouble> {
    try {
      const { id, power = 'no PowerState' } = await readMachine(door, machine, this.#target);
      if (power === 'Off') this.#note(id, 'PowerState Off');
      return power;
    } catch (error) {
      if (error instanceof Trouble && !error.permanent) return error;
      throw error;
    }
  }

  /** When this answer has to stop waiting. */
  #until(): number {
    const { offWithinMs = 20_000, settleMs = 3_000, timeoutMs = 180_000 } = this.#options;
    const now = this.#clock.now();
    return Math.min(now + offWithinMs, Math.max(now, this.#begunAt + timeoutMs - settleMs - lastWordsMs));
  }

  async #sleep(delayMs: number): Promise<void> {
    await sleep(this.#clock, delayMs, this.#signal);
    this.#signal.throwIfAborted();
  }

  #wait(words: string, retryAfterMs: number = askAgainMs): Waiting {
    return { outcome: 'waiting', detail: this.#say(words), retryAfterMs };
  }

  #failureOf(error: unknown): Failed | Waiting {
    if (this.#signal.aborted) return { outcome: 'failed', detail: 'called off' };
    if (error instanceof NotPermitted) {
      return { outcome: 'failed', detail: this.#say(`not permitted: ${error.message}`) };
    }
    if (error instanceof TemplateError) return this.#fail(error.message, true);
    if (!(error instanceof Trouble)) {
      return this.#fail(`a bug: ${error instanceof Error ? error.message : 'something was thrown'}`, false);
    }
    if (error.retryAfterMs !== undefined) {
      return this.#wait(error.message, Math.min(longestPauseMs, Math.max(askAgainMs, error.retryAfterMs)));
    }
    return this.#fail(error.message, error.permanent);
  }

  #fail(words: string, permanent: boolean): Failed {
    return { outcome: 'failed', detail: this.#say(words), ...(permanent && { permanent: true }) };
  }

  #say(words: string): string {
    return this.#secrets.redact(this.#origin === '' ? words : `${this.#origin}: ${words}`);
  }

  #note(id: string, said: string): void {
    this.#evidence.push({
      witness: this.#secrets.redact(`${this.#origin}${id}`),
      said: this.#secrets.redact(said),
      at: new Date(this.#clock.wallTime()).toISOString(),
    });
  }
}

type Waiting = { readonly outcome: 'waiting'; readonly detail: string; readonly retryAfterMs: number };
type Failed = { readonly outcome: 'failed'; readonly detail: string; readonly permanent?: true };

/** What a service says elsewhere of how a system may be switched. */
async function allowedIn(door: Door, { actionInfo }: System): Promise<readonly string[] | undefined> {
  if (actionInfo === undefined) return undefined;
  const { Parameters: parameters } = (await door.get(actionInfo)).body;
  const all: readonly unknown[] = Array.isArray(parameters) ? parameters : [];
  for (const one of all) {
    if (typeof one !== 'object' || one === null || Reflect.get(one, 'Name') !== 'ResetType') continue;
    const values: unknown = Reflect.get(one, 'AllowableValues');
    if (Array.isArray(values)) return values.filter((value) => typeof value === 'string');
  }
  return undefined;
}
