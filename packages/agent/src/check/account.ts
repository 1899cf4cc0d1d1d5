// What the agent's account may do, and what it may do beyond that. Asked as that very account.
import {
  describePermission,
  excessIn,
  grantedRules,
  isForbidden,
  missingPermissions,
  neededPermissions,
  networkFencePermissions,
  type Permission,
  type Transport,
  tryElectionLease,
} from '@liberator/core';
import type { Place } from '../cluster/place.ts';
import { sentenceOf } from '../process/failure.ts';
import { type Finding, failure, ok, type Section, skipped, warning } from './finding.ts';

/** An account as people write it: `tkr-system/high-availability`. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** As the API server calls it. */
export function userNameOf({ namespace, name }: Account): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** Undefined for people, nodes and everybody else who is no service account. */
export function accountOf(userName: string | undefined): Account | undefined {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(userName ?? '') ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** @param transport - Speaks for the account. */
export async function checkAccount(
  transport: Transport,
  account: Account,
  place: Place,
): Promise<readonly Section[]> {
  const whose = `${account.namespace}/${account.name}`;
  const needed = neededPermissions(place);
  let missing: readonly Permission[];
  try {
    missing = await missingPermissions({ transport, permissions: needed });
  } catch (error) {
    const title = `What ${whose} may do`;
    if (!isForbidden(error)) return [{ title, findings: [failure('its permissions', sentenceOf(error))] }];
    const why =
      `you may not act as it, and only that shows: ask somebody who may impersonate service accounts, or run this in ` +
      "one of the agent's pods";
    return [{ title, findings: [warning('not checked', why)] }];
  }
  const election = await checkElection(transport, place, missing);
  return [
    { title: `What ${whose} needs`, findings: judgePermissions(needed, missing) },
    {
      title: `What ${whose} has beyond that`,
      findings: await checkExcess(transport, [...needed, ...networkFencePermissions], place),
    },
    { title: 'Election', findings: [election] },
  ];
}

export function judgePermissions(
  needed: readonly Permission[],
  missing: readonly Permission[],
): readonly Finding[] {
  return needed.map((permission) =>
    missing.includes(permission)
      ? failure(describePermission(permission), 'not allowed')
      : ok(describePermission(permission)),
  );
}

/** Longer lists are no longer read. */
const longestExcess = 12;

async function checkExcess(
  transport: Transport,
  needed: readonly Permission[],
  place: Place,
): Promise<readonly Finding[]> {
  const namespaces = [...new Set([place.namespace, 'kube-node-lease', 'default'])];
  try {
    const granted = await Promise.all(
      namespaces.map(async (namespace) => {
        const { rules, incomplete } = await grantedRules({ transport, namespace });
        return { namespace, incomplete, excess: excessIn(rules, needed, namespace) };
      }),
    );
    const incomplete = granted.some((one) => one.incomplete)
      ? [skipped('some of its permissions', 'an authorizer of this cluster does not list what it allows')]
      : [];
    return [...judgeExcess(granted), ...incomplete];
  } catch (error) {
    return [skipped('its permissions', sentenceOf(error))];
  }
}

export function judgeExcess(
  granted: readonly { readonly namespace: string; readonly excess: readonly string[] }[],
): readonly Finding[] {
  const everywhere = (line: string): boolean => granted.every(({ excess }) => excess.includes(line));
  const lines = [
    ...new Set(
      granted.flatMap(({ namespace, excess }) =>
        excess.map((line) => (everywhere(line) ? line : `${line} in namespace ${namespace}`)),
      ),
    ),
  ];
  if (lines.length === 0) return [ok('nothing')];
  const why = 'not needed; whoever gets hold of the agent gets hold of it, too';
  const shown = lines.slice(0, longestExcess).map((line) => warning(line, why));
  const more = lines.length - shown.length;
  return more > 0 ? [...shown, warning(`and ${more} more`, why)] : shown;
}

async function checkElection(
  transport: Transport,
  { election }: Place,
  missing: readonly Permission[],
): Promise<Finding> {
  const lease = `Lease ${election.namespace}/${election.name}`;
  try {
    const state = await tryElectionLease({ transport, election });
    return state === 'there'
      ? ok(`${lease} can be written`)
      : ok(`${lease} can be created`, 'it is not there yet');
  } catch (error) {
    // What a role does not allow has its line already; what admission refuses only shows here.
    const byRole = isForbidden(error) && missing.some(({ resource }) => resource.plural === 'leases');
    return failure(`${lease} can not be written`, byRole ? 'not allowed' : sentenceOf(error));
  }
}
