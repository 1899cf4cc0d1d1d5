// What the operator says of a fleet's management controllers, checked before anything depends on it.
import { addressFault, hostPatternFault, kubeletSays } from '../device-address.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { FenceDevice } from '../fencer.ts';
import { templateFault } from '../template.ts';

/** Options of {@link redfishFencer}. What is called a template is filled in for each machine: see {@link fillIn}. */
export interface RedfishOptions {
  /** As policies name the fencer. */
  readonly name: string;
  /**
   * Template: `https://bmc-{name}.example.com`, with a port where it isn't the usual one. With `http` the password crosses the network
   * in clear.
   */
  readonly address: string;
  /** Template of the path of a file that holds the account's name and nothing else, read anew at each use. */
  readonly username: string;
  /** Template of the path of a file that holds its password and nothing else, read anew at each use. */
  readonly password: string;
  /**
   * Template of the path of a PEM file with the authorities that are trusted, and no others; read anew at each use. A controller's own
   * certificate will do. Default: the authorities that Node.js trusts.
   */
  readonly ca?: string;
  /**
   * Which hosts the address may name: `bmc-7.example.com`, `*.bmc.example.com`, `10.7.0.0/16`, each with `:8443` behind it where another
   * port is meant. Required where the address is made from what a node's kubelet may set itself, which could otherwise have our
   * credentials sent anywhere: see {@link kubeletSays}. Default: any host.
   */
  readonly hosts?: readonly string[];
  /**
   * Template of the system's name below `/redfish/v1/Systems`. It still has to be the machine whose UUID the Node reported, where both
   * name one. Default: found by that UUID.
   */
  readonly system?: string;
  /**
   * For how long the power has to stay off, in milliseconds: it is read at both ends of that time. Default 3,000. Shorter believes a
   * controller that reads Off too early.
   */
  readonly settleMs?: number;
  /** How long one request may take, in milliseconds; at most half of `timeoutMs`. Default 25,000: some controllers think for 20 s. */
  readonly requestTimeoutMs?: number;
  /** For how long one answer of the fencer waits for the power to go, in milliseconds, before it says `waiting`. Default 20,000. */
  readonly offWithinMs?: number;
  /** See {@link Fencer.timeoutMs}. Default 180,000, for controllers that think; a rung's own time ends it sooner. */
  readonly timeoutMs?: number;
  /** See {@link Fencer.device}. Default: no device is shared. */
  readonly device?: (target: FenceTarget) => FenceDevice | undefined;
}

/** @throws TypeError for options that can never work, or that would let a node choose who gets the credentials. */
export function checkRedfishOptions(options: RedfishOptions): void {
  const { address, hosts, ca } = options;
  const fault = addressFault(address);
  if (fault !== undefined)
    throw new TypeError(`expected address to be that of a device, found ${quoted(address)}: ${fault}`);
  const free = kubeletSays(address);
  if (free.length > 0 && (hosts ?? []).length === 0) {
    throw new TypeError(
      `expected hosts beside address, since a kubelet may set ${free.join(', ')} itself and so have credentials sent anywhere; found none`,
    );
  }
  for (const pattern of hosts ?? []) {
    const wrong = hostPatternFault(pattern);
    if (wrong !== undefined)
      throw new TypeError(`expected hosts to be hosts, found ${quoted(pattern)}: ${wrong}`);
  }
  if (ca !== undefined && address.startsWith('http:')) {
    throw new TypeError('expected an address with https beside ca, found http');
  }
  for (const key of ['username', 'password', 'ca', 'system'] as const) {
    const found = options[key];
    const wrong = found === undefined ? undefined : templateFault(found);
    if (wrong !== undefined)
      throw new TypeError(`expected ${key} to be a template, found ${quoted(found)}: ${wrong}`);
  }
  for (const key of ['settleMs', 'requestTimeoutMs', 'offWithinMs', 'timeoutMs'] as const) {
    const found = options[key];
    if (found !== undefined && !(Number.isFinite(found) && found > 0)) {
      throw new TypeError(`expected ${key} to be more than 0 ms, found ${found}`);
    }
  }
}

function quoted(text: unknown): string {
  return JSON.stringify(text);
}
