// Finds, among the systems of a Redfish service, the one machine that is meant, and reads its power.
import { sameBoard } from '../../evidence/machine.ts';
import type { FenceTarget } from '../fence-target.ts';
import { whichMachine } from '../which-machine.ts';
import { doubt, Trouble } from './device-trouble.ts';
import type { Door, Resource } from './redfish-door.ts';

const collection = '/redfish/v1/Systems';
/** The largest chassis hold a few dozen. */
const mostSystems = 256;
const mostPages = 64;
/** See the connections of a {@link Door}. */
const atOnce = 4;

const resetAction = '#ComputerSystem.Reset';

/** One system as its service describes it. */
export interface System {
  /** Where it was found. */
  readonly path: string;
  /** The same, however it is written: without a slash at its end. */
  readonly id: string;
  /** Where it says that it is; the same, as a rule. */
  readonly self: string;
  readonly uuid: string;
  /** `On`, `Off`, `PoweringOn`, `PoweringOff`, `Paused`; undefined where it says nothing. Only `Off` means off. */
  readonly power: string | undefined;
  /** Where it is switched; undefined where it doesn't say. */
  readonly resetPath: string | undefined;
  /** How it may be switched; undefined where it doesn't say. */
  readonly allowed: readonly string[] | undefined;
  /** Where it says how, when it doesn't do so itself. */
  readonly actionInfo: string | undefined;
  readonly etag: string | undefined;
}

/** The machine that is meant, and by what we know. */
export interface Machine {
  readonly system: System;
  readonly by: 'matched' | 'chosen';
}

/** @throws {@link Trouble} of the kind `machine` when nobody can tell which one it is. */
export async function findMachine(
  door: Door,
  target: Pick<FenceTarget, 'noted'>,
  chosenName: string | undefined,
): Promise<Machine> {
  const [chosen, members] = await Promise.all([
    chosenName === undefined ? undefined : readChosen(door, chosenName),
    readAll(door),
  ]);
  // Several links may lead to one system.
  const systems = new Map(members.map((system) => [system.id, system]));
  const chosenId = chosen === undefined || systems.has(chosen.id) ? chosen?.id : chosen.self;
  const answer = whichMachine([...systems.values()], target, chosenId);
  if (answer.outcome === 'refused') throw doubt(answer.detail);
  const system = systems.get(answer.id);
  if (system === undefined) throw doubt(`there is no machine ${answer.id}`);
  return { system, by: answer.by };
}

/** Reads the machine once more, and makes sure that it still is the one. */
export async function readMachine(
  door: Door,
  { system }: Machine,
  { noted }: Pick<FenceTarget, 'noted'>,
): Promise<System> {
  const now = systemIn(door, await door.get(system.path));
  // A board's UUID may be unknown while it has no power; another one is another machine.
  if (sameBoard(noted.machine.systemUuid, now.uuid) === 'another') {
    throw doubt(`${system.id} has the UUID ${now.uuid} by now, and the Node ${noted.machine.systemUuid}`);
  }
  return now;
}

/** Whether a path belongs to that very system. */
export function isOf({ id, self }: System, other: string): boolean {
  return other.startsWith(`${id}/`) || other.startsWith(`${self}/`);
}

export function systemIn(door: Door, { path, headers, body }: Resource): System {
  const actions = mappingIn(body, 'Actions');
  const reset = mappingIn(actions, resetAction);
  const { UUID: uuid, PowerState: power } = body;
  const allowed = reset['ResetType@Redfish.AllowableValues'];
  const etag = headers['etag'] ?? body['@odata.etag'];
  return {
    path,
    id: bare(path),
    self: bare(door.within(path, body['@odata.id']) ?? path),
    uuid: typeof uuid === 'string' ? uuid : '',
    power: typeof power === 'string' && power !== '' ? power : undefined,
    resetPath: resetPathIn(door, path, reset['target']),
    allowed: Array.isArray(allowed) ? allowed.filter((one) => typeof one === 'string') : undefined,
    actionInfo: door.within(path, reset['@Redfish.ActionInfo']),
    etag: typeof etag === 'string' && etag !== '' ? etag : undefined,
  };
}

/** @throws {@link Trouble} when a service would have us switch something at another host. */
function resetPathIn(door: Door, path: string, target: unknown): string | undefined {
  if (target === undefined || target === null) return undefined;
  const found = door.within(path, target);
  if (found === undefined) throw doubt(`${path} is switched at another host, or nowhere`);
  return found;
}

async function readChosen(door: Door, name: string): Promise<System> {
  try {
    return systemIn(door, await door.get(`${collection}/${encodeURIComponent(name)}`));
  } catch (error) {
    if (error instanceof Trouble && error.status === 404) throw doubt(`there is no system ${name}`);
    throw error;
  }
}

/** One that can't be read might be the second with the same UUID: then nobody can tell. */
async function readAll(door: Door): Promise<readonly System[]> {
  const paths = await membersOf(door, collection, { members: mostSystems, pages: mostPages });
  return readEach(paths, async (path) => systemIn(door, await door.get(path)));
}

/** The members of a collection, over all of its pages. */
export async function membersOf(
  door: Door,
  start: string,
  most: { readonly members: number; readonly pages: number },
): Promise<readonly string[]> {
  const members = new Map<string, string>();
  const pages = new Set<string>();
  let next: string | undefined = start;
  while (next !== undefined) {
    if (pages.has(next) || pages.size >= most.pages) throw doubt(`the list at ${start} has no end`);
    pages.add(next);
    const { path, body }: Resource = await door.get(next);
    if (!Array.isArray(body['Members'])) throw new Trouble(`the list at ${start} has no members`);
    for (const member of body['Members']) {
      const link = door.within(path, isMapping(member) ? member['@odata.id'] : undefined);
      if (link === undefined) throw doubt(`the list at ${start} names what is at another host, or nowhere`);
      members.set(bare(link), link);
    }
    if (members.size > most.members)
      throw doubt(`the list at ${start} has more than ${most.members} members`);
    const more = body['Members@odata.nextLink'] ?? body['@odata.nextLink'];
    next = more === undefined || more === null ? undefined : door.within(path, more);
    if (next === undefined && typeof more === 'string') {
      throw doubt(`the list at ${start} goes on at another host`);
    }
  }
  return [...members.values()];
}

export async function readEach<T>(
  paths: readonly string[],
  read: (path: string) => Promise<T>,
): Promise<T[]> {
  const found: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < paths.length; index = next++) {
      found[index] = await read(paths[index] ?? '');
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, paths.length) }, work));
  return found;
}

/** Services add a slash at the end, or leave it out. */
function bare(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mappingIn(body: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, unknown>> {
  const value = body[key];
  return isMapping(value) ? value : {};
}
