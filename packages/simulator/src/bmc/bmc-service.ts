// Answers one request as a Redfish service would, with everything that is wrong with it at the moment.
import type { BmcFaults } from './bmc-faults.ts';
import { type BmcMachine, resetTypes } from './bmc-machine.ts';
import { account, collection, problem, roles, root, serviceRoot, system } from './bmc-resources.ts';

/** Who may ask a controller. */
export interface BmcUser {
  /** As it is sent. */
  readonly username: string;
  /** As it is sent. */
  readonly password: string;
  /** Default `Administrator`. `ReadOnly` may look and not switch. */
  readonly role?: 'Administrator' | 'Operator' | 'ReadOnly';
}

export interface ServiceRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

interface Task {
  state: 'Running' | 'Completed' | 'Exception';
}

export class BmcService {
  readonly #machines: ReadonlyMap<string, BmcMachine>;
  readonly #users: readonly BmcUser[];
  readonly #pageSize: number;
  readonly #faults: () => BmcFaults;
  readonly #tasks = new Map<string, Task>();

  constructor(options: {
    readonly machines: ReadonlyMap<string, BmcMachine>;
    readonly users: readonly BmcUser[];
    readonly pageSize: number;
    readonly faults: () => BmcFaults;
  }) {
    this.#machines = options.machines;
    this.#users = options.users;
    this.#pageSize = options.pageSize;
    this.#faults = options.faults;
  }

  /** Who a request comes from; undefined for strangers. */
  userOf({ headers }: Pick<ServiceRequest, 'headers'>): BmcUser | undefined {
    const [, pair = ''] = /^Basic (.+)$/i.exec(String(headers['authorization'] ?? '')) ?? [];
    const text = Buffer.from(pair, 'base64').toString('utf8');
    return this.#users.find(({ username, password }) => text === `${username}:${password}`);
  }

  /** Takes effect at once, if it has any. */
  answer(request: ServiceRequest): ServiceAnswer {
    const url = new URL(request.path, 'http://bmc');
    const path = url.pathname.replace(/\/+$/, '');
    const faults = appliesTo(this.#faults(), request) ? this.#faults() : {};
    if (path === '/redfish') return { status: 200, body: { v1: `${root}/` } };
    if (path === root) return { status: 200, body: serviceRoot() };
    const user = this.userOf(request);
    if (user === undefined || faults.unauthorized === true) {
      return { status: 401, headers: { 'www-authenticate': 'Basic realm="bmc"' }, body: unauthorized };
    }
    if (faults.unavailable !== undefined) return unavailable(faults.unavailable);
    const { redirect } = faults;
    if (redirect !== undefined && path.startsWith(`${root}/Systems/`)) {
      const to = redirect === 'here' ? `${path}/` : `${redirect}${path}`;
      if (redirect !== 'here' || !url.pathname.endsWith('/')) {
        return { status: 307, headers: { location: to } };
      }
    }
    if (request.method === 'POST') return this.#post(path, request, user);
    return request.method === 'GET' ? this.#get(path, url, user) : { status: 405 };
  }

  #get(path: string, url: URL, user: BmcUser): ServiceAnswer {
    const [first, second, third] = path.slice(root.length + 1).split('/');
    const names = [...this.#machines.keys()];
    if (first === 'Systems' && second === undefined) {
      const skip = Number(url.searchParams.get('$skip') ?? 0);
      return { status: 200, body: collection(path, names, { skip, size: this.#pageSize }) };
    }
    const machine = first === 'Systems' && third === undefined ? this.#machines.get(second ?? '') : undefined;
    if (machine !== undefined) {
      return { status: 200, headers: { etag: machine.etag }, body: system(machine) };
    }
    if (first === 'TaskService' && third !== undefined) return this.#task(third);
    if (first === 'AccountService') return this.#account(path, second, third, user);
    return notFound;
  }

  #account(
    path: string,
    kind: string | undefined,
    name: string | undefined,
    { username, role }: BmcUser,
  ): ServiceAnswer {
    const users = this.#users.map((_, index) => String(index + 1));
    if (kind === 'Accounts' && name === undefined) {
      return { status: 200, body: collection(path, users, { skip: 0, size: users.length }) };
    }
    const one = kind === 'Accounts' ? this.#users[Number(name) - 1] : undefined;
    if (one !== undefined) {
      const limited = this.#faults().readOnly === true && one.username === username;
      return {
        status: 200,
        body: account(path, one.username, limited ? 'ReadOnly' : (one.role ?? role ?? 'Administrator')),
      };
    }
    const privileges = kind === 'Roles' ? roles[name ?? ''] : undefined;
    if (privileges === undefined) return notFound;
    return { status: 200, body: { '@odata.id': path, RoleId: name, AssignedPrivileges: privileges } };
  }

  #task(id: string): ServiceAnswer {
    const task = this.#tasks.get(id);
    if (task === undefined) return notFound;
    const body = { '@odata.id': `${root}/TaskService/Tasks/${id}`, Id: id, TaskState: task.state };
    if (task.state === 'Running') return { status: 202, headers: { 'retry-after': '0' }, body };
    return task.state === 'Completed' ? { status: 204 } : { status: 200, body };
  }

  #post(path: string, request: ServiceRequest, user: BmcUser): ServiceAnswer {
    const [, name = ''] =
      /^\/redfish\/v1\/Systems\/([^/]+)\/Actions\/ComputerSystem[.]Reset$/.exec(path) ?? [];
    const machine = this.#machines.get(name);
    if (machine === undefined) return notFound;
    if (this.#faults().readOnly === true || user.role === 'ReadOnly') {
      const message = 'There are insufficient privileges for the account to perform the operation.';
      return { status: 403, body: problem('Base.1.0.InsufficientPrivilege', message) };
    }
    const type = typeIn(request.body);
    if (type === undefined || !(machine.faults.allows ?? resetTypes).includes(type)) {
      const message = 'The value for the parameter ResetType is not one that this system takes.';
      return { status: 400, body: problem('Base.1.0.ActionParameterValueNotInList', message) };
    }
    return this.#reset(machine, type, request);
  }

  #reset(machine: BmcMachine, type: string, { headers }: ServiceRequest): ServiceAnswer {
    const { already, task, needsIfMatch } = machine.faults;
    const given = headers['if-match'];
    if (needsIfMatch === true && given !== machine.etag) {
      const status = given === undefined ? 428 : 412;
      return { status, body: problem('Base.1.0.PreconditionRequired', 'An ETag is needed.') };
    }
    if (already !== undefined && idle(machine, type)) return refusedAsIs(already, machine);
    if (task === undefined) {
      machine.reset(type, () => undefined);
      return { status: 204 };
    }
    const id = String(this.#tasks.size + 1);
    const made: Task = { state: 'Running' };
    this.#tasks.set(id, made);
    if (task === 'fails') made.state = 'Exception';
    else if (task === 'ends') {
      machine.reset(type, () => {
        made.state = 'Completed';
      });
    }
    return {
      status: 202,
      headers: { location: `${root}/TaskService/TaskMonitors/${id}`, 'retry-after': '0' },
      body: { '@odata.id': `${root}/TaskService/Tasks/${id}`, Id: id, TaskState: 'New' },
    };
  }
}

/** Whether a fault of the whole controller shows in this request. */
export function appliesTo({ on }: BmcFaults, { method }: Pick<ServiceRequest, 'method'>): boolean {
  return on === undefined || (on === 'resets') === (method === 'POST');
}

const notFound: ServiceAnswer = {
  status: 404,
  body: problem('Base.1.0.ResourceMissingAtURI', 'There is nothing at this address.'),
};

const unauthorized = problem('Base.1.0.InsufficientPrivilege', 'Incorrect username or password.');

function unavailable({ status = 503, retryAfterS }: NonNullable<BmcFaults['unavailable']>): ServiceAnswer {
  return {
    status,
    ...(retryAfterS !== undefined && { headers: { 'retry-after': String(retryAfterS) } }),
    body: problem('Base.1.0.ServiceTemporarilyUnavailable', 'The service is busy.'),
  };
}

function idle({ power }: BmcMachine, type: string): boolean {
  return power === 'Off'
    ? type === 'ForceOff' || type === 'GracefulShutdown'
    : type === 'On' || type === 'ForceOn';
}

function refusedAsIs(status: 400 | 409, { power }: BmcMachine): ServiceAnswer {
  return status === 409
    ? { status, body: problem('IDRAC.2.8.PSU501', `The server is already powered ${power.toUpperCase()}.`) }
    : { status, body: problem('iLO.2.15.InvalidOperationForSystemState', 'See @Message.ExtendedInfo.') };
}

function typeIn(body: string): string | undefined {
  try {
    const found: unknown = JSON.parse(body);
    const type: unknown =
      typeof found === 'object' && found !== null ? Reflect.get(found, 'ResetType') : undefined;
    return typeof type === 'string' ? type : undefined;
  } catch {
    return undefined;
  }
}
