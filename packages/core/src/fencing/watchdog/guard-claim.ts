// What a guard says of itself on its Lease, and how that is written there and read. Pure.
import type { Lease } from '../../kubernetes/objects.ts';
import { areGuardTimes, type GuardTimes } from './bound.ts';

/**
 * How far a guard has come.
 *
 * - `arming`: it asks for life, and holds no watchdog yet.
 * - `armed`: it holds one that runs, and feeds it.
 * - `released`: it holds none, or is about to let go of it in good order. The machine may run on.
 */
export type GuardState = 'arming' | 'armed' | 'released';

/** What a guard claims with each renewal. */
export interface GuardClaim extends GuardTimes {
  /** The Node that it guards. */
  readonly node: string;
  /** Whether it is armed, or has let go in good order. */
  readonly state: GuardState;
  /** The boot of the kernel that it runs on, as a Node has it in `status.nodeInfo.bootID`. Another boot is guarded anew. */
  readonly bootId: string;
  /** The device, and what it calls itself; for people. */
  readonly device: string;
}

const annotation = (name: string): string => `guard.liberator.dev/${name}`;
const names = {
  node: annotation('node'),
  state: annotation('state'),
  bootId: annotation('boot-id'),
  device: annotation('device'),
  grantMs: annotation('grant-ms'),
  timeoutMs: annotation('timeout-ms'),
} as const;

const states: readonly string[] = ['arming', 'armed', 'released'] satisfies readonly GuardState[];

/** Where guards keep their Leases, unless they are told otherwise. */
export const defaultGuardNamespace = 'liberator-guards';

/** What all Leases of guards are labelled with. */
export const guardLabel = 'liberator.dev/watchdog-guard';

/** The name of the Lease of the guard of a node. */
export function guardLeaseName(node: string): string {
  return `liberator-guard-${node}`;
}

/** As annotations of a Lease. */
export function claimAnnotations(claim: GuardClaim): Readonly<Record<string, string>> {
  return {
    [names.node]: claim.node,
    [names.state]: claim.state,
    [names.bootId]: claim.bootId,
    [names.device]: claim.device,
    [names.grantMs]: String(claim.grantMs),
    [names.timeoutMs]: String(claim.timeoutMs),
  };
}

/** Undefined when the Lease holds none that makes sense as a whole. */
export function claimOf({ metadata }: Pick<Lease, 'metadata'>): GuardClaim | undefined {
  const said: Readonly<Record<string, unknown>> = metadata.annotations ?? {};
  const text = (name: keyof typeof names): string => {
    const found = Object.hasOwn(said, names[name]) ? said[names[name]] : '';
    return typeof found === 'string' ? found : '';
  };
  const [node, state, bootId, device] = [text('node'), text('state'), text('bootId'), text('device')];
  const times = { grantMs: wholeNumber(text('grantMs')), timeoutMs: wholeNumber(text('timeoutMs')) };
  if (node === '' || bootId === '' || !isState(state) || !areGuardTimes(times)) return undefined;
  return { node, state, bootId, device, ...times };
}

function isState(text: string): text is GuardState {
  return states.includes(text);
}

function wholeNumber(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}
