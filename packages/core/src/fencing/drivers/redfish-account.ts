// Whether our account may switch machines, as far as a Redfish service says so: for drills, which must not try it.

import { Trouble } from './device-trouble.ts';
import type { Door } from './redfish-door.ts';
import { isMapping, membersOf, readEach } from './redfish-machine.ts';

const service = '/redfish/v1/AccountService';
/** Some have sixteen slots for accounts, used or not. */
const most = { members: 64, pages: 8 };

/** The privilege that the standard asks of whoever resets a system. */
const needed = 'ConfigureComponents';

/** Roles that every service has. */
const standard: Readonly<Record<string, 'yes' | 'no'>> = {
  Administrator: 'yes',
  Operator: 'yes',
  ReadOnly: 'no',
  NoAccess: 'no',
};

/** `unknown` where the service won't tell, as many don't to accounts that may do little. Rejects when the signal aborted. */
export async function mayReset(door: Door, signal: AbortSignal): Promise<'yes' | 'no' | 'unknown'> {
  try {
    const roles = await readEach(await membersOf(door, `${service}/Accounts`, most), async (path) => {
      const { body } = await door.get(path);
      return body['UserName'] === door.account
        ? { role: body['RoleId'], links: body['Links'], path }
        : undefined;
    });
    const own = roles.find((one) => one !== undefined);
    if (own === undefined || typeof own.role !== 'string') return 'unknown';
    if (Object.hasOwn(standard, own.role)) return standard[own.role] ?? 'unknown';
    const link =
      isMapping(own.links) && isMapping(own.links['Role']) ? own.links['Role']['@odata.id'] : undefined;
    const role = door.within(own.path, link) ?? `${service}/Roles/${encodeURIComponent(own.role)}`;
    const { AssignedPrivileges: privileges } = (await door.get(role)).body;
    return Array.isArray(privileges) ? (privileges.includes(needed) ? 'yes' : 'no') : 'unknown';
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Trouble) return 'unknown';
    throw error;
  }
}
