// Switches a machine: the one request that harms, never sent without a permit that still holds.

import { parseRetryAfter } from '../../kubernetes/retry-after.ts';
import type { Clock } from '../../time/clock.ts';
import { sleep } from '../../time/clock.ts';
import type { FenceContext } from '../fence-context.ts';
import type { FenceTarget } from '../fence-target.ts';
import { doubt, Trouble } from './device-trouble.ts';
import { type Posted, redirectOf, wrongOf } from './redfish-answer.ts';
import type { Door } from './redfish-door.ts';
import { isMapping, isOf, type Machine, readMachine, type System, systemIn } from './redfish-machine.ts';

export type ResetType = 'ForceOff' | 'On' | 'ForceOn';

/** Each needs a permit of its own: one request, and a few more where the service wants it sent anew. */
const mostRequests = 6;

/** What the service said to it. */
export interface Accepted {
  /** For the evidence: `ForceOff: 204`. */
  readonly said: string;
  /** Where to ask what became of it; undefined when it is done, or nothing is told. */
  readonly monitor: string | undefined;
}

/** No permit, so nothing was sent. */
export class NotPermitted extends Error {
  override readonly name = 'NotPermitted';
}

/** The permit ran out between its answer and the first byte. */
class TooLate extends Error {
  override readonly name = 'TooLate';
}

interface Resetting {
  readonly door: Door;
  readonly machine: Machine;
  readonly target: Pick<FenceTarget, 'noted'>;
  readonly type: ResetType;
  readonly context: FenceContext;
}

/**
 * Sends it, and what "yes" looks like is up to the service: 200, 202 or 204, or a word that there was nothing to do. Whether it is
 * true shows in the power, and nowhere else.
 */
export async function reset(resetting: Resetting): Promise<Accepted> {
  const { door, machine, target, type } = resetting;
  let path = machine.system.resetPath;
  if (path === undefined)
    throw new Trouble(`${machine.system.id} says nowhere how it is switched`, { permanent: true });
  if (!isOf(machine.system, path))
    throw doubt(`${machine.system.id} is switched at ${path}, which is not its own`);
  let ifMatch: string | undefined;
  let renewed = false;
  for (let requests = 0; requests < mostRequests; requests++) {
    const answer = await sendPermitted(resetting, path, ifMatch);
    if (answer === undefined) continue;
    const { status } = answer;
    if (status >= 200 && status < 300) {
      return {
        said: `${type}: ${status}`,
        monitor: status === 202 ? monitorIn(door, path, answer) : undefined,
      };
    }
    if (saysAlready(answer, machine.system, type))
      return { said: `${type}: ${status}${codesOf(answer)}`, monitor: undefined };
    const to = redirectOf(answer, [307, 308]);
    if (to !== undefined) {
      path = door.redirected(path, to);
      await refuseOthers(resetting, path);
    } else if ((status === 428 || status === 412) && ifMatch === undefined) {
      ifMatch = (await readMachine(door, machine, target)).etag;
      if (ifMatch === undefined) throw new Trouble(`wants an ETag for ${type} (${status}) and gives none`);
    } else if (status === 401 && !renewed && (await door.renewed())) {
      renewed = true;
    } else {
      throw refusalOf(answer, type);
    }
  }
  throw new Trouble(`${type} was not taken after ${mostRequests} requests`);
}

/** Undefined when the permit ran out before anything was sent. */
async function sendPermitted(
  { door, type, context }: Resetting,
  path: string,
  ifMatch: string | undefined,
): Promise<Posted | undefined> {
  const { clock, signal } = context;
  signal.throwIfAborted();
  const permit = await context.permit();
  if (permit.outcome === 'refused') throw new NotPermitted(permit.detail);
  const until = clock.now() + permit.validForMs;
  const beforeSend = (): void => {
    signal.throwIfAborted();
    if (clock.now() >= until) throw new TooLate();
  };
  try {
    return await door.post(path, { ResetType: type }, { ifMatch, beforeSend });
  } catch (error) {
    if (error instanceof TooLate) return undefined;
    throw error;
  }
}

/** A redirect may lead to another name of the same machine, and to no other machine. */
async function refuseOthers({ door, machine, target }: Resetting, path: string): Promise<void> {
  if (isOf(machine.system, path)) return;
  const [, owner] = /^(.+)\/Actions\/[^/]+\/?$/.exec(path) ?? [];
  const other: System | undefined = owner === undefined ? undefined : systemIn(door, await door.get(owner));
  if (other?.id === machine.system.id) return;
  const again =
    other === undefined ? undefined : await readMachine(door, { ...machine, system: other }, target);
  if (again === undefined || again.uuid === '' || again.uuid !== machine.system.uuid) {
    throw doubt(`${machine.system.id} is switched at ${path} by a redirect, which is not its own`);
  }
}

/** Off already is 409 on one, 400 on another. The power has to show it all the same. */
function saysAlready(answer: Posted, { power }: System, type: ResetType): boolean {
  if (answer.status === 409) return true;
  if (answer.status !== 400) return false;
  const said = answer.body === undefined ? '' : JSON.stringify(answer.body);
  if (/already|InvalidOperationForSystemState|NoOperation|PSU50\d|is (?:powered )?(?:off|on)\b/i.test(said))
    return true;
  // Without a word: it can only be that, where there was nothing to do.
  return (said === '' || said === '{}') && power === (type === 'ForceOff' ? 'Off' : 'On');
}

function refusalOf(answer: Posted, type: ResetType): Trouble {
  const { status } = answer;
  const trouble = wrongOf(answer, `${type} with`);
  if (trouble?.kind === 'access' || trouble?.retryAfterMs !== undefined) return trouble;
  // What it can't do at all, or not in this way, it won't do the next time.
  const permanent = [400, 404, 405, 410, 501].includes(status);
  return new Trouble(`answered ${type} with ${status}${codesOf(answer)}`, { permanent, status });
}

/** Of what a service says only its codes are told: its words hold times and numbers, which change. */
function codesOf(answer: Posted): string {
  const codes = extendedOf(answer).map(({ MessageId, MessageID }) => MessageId ?? MessageID);
  const known = codes.filter(
    (code): code is string => typeof code === 'string' && /^[\w.]{1,80}$/.test(code),
  );
  return known.length === 0 ? '' : ` (${[...new Set(known)].slice(0, 3).join(', ')})`;
}

function extendedOf({ body }: Posted): readonly Readonly<Record<string, unknown>>[] {
  const error = isMapping(body?.['error']) ? body['error'] : (body ?? {});
  const extended = error['@Message.ExtendedInfo'];
  return (Array.isArray(extended) ? extended : [extended]).filter(isMapping);
}

function monitorIn(door: Door, path: string, { headers, body }: Posted): string | undefined {
  // What leads to another host is not followed: the power shows what became of it.
  return door.within(path, headers['location']) ?? door.within(path, body?.['@odata.id']);
}

const running: ReadonlySet<unknown> = new Set([
  'New',
  'Starting',
  'Running',
  'Suspended',
  'Interrupted',
  'Pending',
  'Stopping',
  'Service',
  'Cancelling',
]);

/** Asks what became of a task, until it has ended or `until` is past. */
export async function awaitTask(
  door: Door,
  monitor: string,
  { clock, signal, until }: { readonly clock: Clock; readonly signal: AbortSignal; readonly until: number },
): Promise<'done' | 'running'> {
  for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, 2_000)) {
    const { state, retryAfterMs } = await stateOf(door, monitor);
    if (state === 'done') return 'done';
    const left = until - clock.now();
    if (left <= 0) return 'running';
    await sleep(clock, Math.min(left, Math.max(pauseMs, Math.min(retryAfterMs ?? 0, 5_000))), signal);
    signal.throwIfAborted();
  }
}

async function stateOf(
  door: Door,
  monitor: string,
): Promise<{ readonly state: 'done' | 'running'; readonly retryAfterMs?: number | undefined }> {
  const { status, headers, body } = await door.look(monitor);
  const retryAfterMs = parseRetryAfter(headers);
  const state = body?.['TaskState'];
  if (state === 'Exception' || state === 'Killed' || state === 'Cancelled') {
    throw new Trouble(`its task ended as ${state}`);
  }
  if (status === 202 || running.has(state)) return { state: 'running', retryAfterMs };
  if (status === 429 || status === 503) return { state: 'running', retryAfterMs };
  // A task that is over is forgotten after a while.
  if (status === 404 || status === 410) return { state: 'done' };
  if (status >= 200 && status < 300) {
    if (body?.['TaskStatus'] === 'Critical') throw new Trouble('its task ended as Critical');
    return { state: 'done' };
  }
  throw new Trouble(`its task ended with ${status}`);
}
