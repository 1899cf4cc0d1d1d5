// What a Redfish service shows of itself, as JSON: the few resources that a fencer reads.
import { type BmcMachine, resetTypes } from './bmc-machine.ts';

/** Below which the service lives. */
export const root = '/redfish/v1';

export const roles: Readonly<Record<string, readonly string[]>> = {
  Administrator: ['Login', 'ConfigureManager', 'ConfigureUsers', 'ConfigureSelf', 'ConfigureComponents'],
  Operator: ['Login', 'ConfigureSelf', 'ConfigureComponents'],
  ReadOnly: ['Login', 'ConfigureSelf'],
};

export function serviceRoot(): object {
  return {
    '@odata.type': '#ServiceRoot.v1_15_0.ServiceRoot',
    '@odata.id': root,
    RedfishVersion: '1.15.0',
    Systems: { '@odata.id': `${root}/Systems` },
    AccountService: { '@odata.id': `${root}/AccountService` },
  };
}

/** One page of a collection. */
export function collection(
  path: string,
  names: readonly string[],
  page: { readonly skip: number; readonly size: number },
): object {
  const end = page.skip + page.size;
  return {
    '@odata.id': path,
    'Members@odata.count': names.length,
    Members: names.slice(page.skip, end).map((name) => ({ '@odata.id': `${path}/${name}` })),
    ...(end < names.length && { 'Members@odata.nextLink': `${path}?$skip=${end}` }),
  };
}

export function system(machine: BmcMachine): object {
  const { name, faults } = machine;
  const path = `${root}/Systems/${name}`;
  const power = powerOf(machine);
  const uuid = uuidOf(machine);
  return {
    '@odata.type': '#ComputerSystem.v1_20_0.ComputerSystem',
    '@odata.id': path,
    Id: name,
    Name: name,
    ...(uuid !== undefined && { UUID: uuid }),
    ...(power !== undefined && { PowerState: power }),
    Actions: {
      '#ComputerSystem.Reset': {
        target: `${path}/Actions/ComputerSystem.Reset`,
        'ResetType@Redfish.AllowableValues': faults.allows ?? resetTypes,
      },
    },
  };
}

function powerOf({ power, faults }: BmcMachine): string | undefined {
  if (faults.noPowerState === true) return undefined;
  if (faults.liesOff === true) return 'Off';
  return power === 'On' ? (faults.reads ?? power) : power;
}

function uuidOf({ uuid, faults }: BmcMachine): string | undefined {
  if (faults.noUuid === true) return undefined;
  const said = faults.uuid ?? uuid;
  return faults.swappedUuid === true ? swapped(said) : said;
}

function swapped(uuid: string): string {
  const groups = uuid.split('-');
  return groups
    .map((group, index) => (index < 3 ? (group.match(/../g) ?? []).reverse().join('') : group))
    .join('-');
}

export function account(path: string, username: string, role: string): object {
  return {
    '@odata.id': path,
    UserName: username,
    Enabled: true,
    RoleId: role,
    Links: { Role: { '@odata.id': `${root}/AccountService/Roles/${role}` } },
  };
}

export function problem(code: string, message: string): object {
  return {
    error: {
      code: 'Base.1.0.GeneralError',
      message,
      '@Message.ExtendedInfo': [{ MessageId: code, Message: message }],
    },
  };
}
