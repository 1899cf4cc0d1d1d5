// Addresses of single machines in a list of CIDRs: a range may hold others of which nobody here knows. Pure.
import { BlockList, isIP } from 'node:net';

/** What no machine has to itself. */
const nobodysOwn = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  nobodysOwn.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  nobodysOwn.addSubnet(network, prefix, 'ipv6');
}

/** The address in a CIDR of one machine; undefined when it is a range, an address that many share, or none at all. */
export function hostIn(cidr: string): string | undefined {
  const [address = '', prefix, more] = cidr.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined || prefix !== (family === 4 ? '32' : '128')) return undefined;
  return nobodysOwn.check(address, family === 4 ? 'ipv4' : 'ipv6') ? undefined : address;
}

/** A list in which an address is found however it is written: IPv6 has many ways. */
export function listOf(addresses: readonly string[]): { readonly has: (address: string) => boolean } {
  const list = new BlockList();
  for (const address of addresses) {
    const family = isIP(address);
    if (family !== 0) list.addAddress(address, family === 4 ? 'ipv4' : 'ipv6');
  }
  return {
    has: (address) => {
      const family = isIP(address);
      return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
    },
  };
}
