// Where a device is, made from a template, and which hosts may be meant: a node must not be able to have our credentials sent elsewhere.
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { FenceTarget } from './fence-target.ts';
import { fillIn, placeholdersIn, TemplateError, templateFault } from './template.ts';

/** Labels under these domains are the only ones that the admission plugin NodeRestriction lets no kubelet set on its own Node. */
const restricted = /^label[.](?:[^/]+[.])?node-restriction[.]kubernetes[.]io\//;

/**
 * The placeholders of a template whose values a kubelet may set for itself: annotations, addresses, most labels, and what it reports
 * of its machine. Not among them: the Node's name and uid, and labels under `node-restriction.kubernetes.io/`. An address that is
 * made from any of these needs a list of hosts that may be meant.
 */
export function kubeletSays(template: string): readonly string[] {
  return placeholdersIn(template).filter(
    (inside) => inside !== 'name' && inside !== 'uid' && !restricted.test(inside),
  );
}

/** What is wrong with the template of a device's address, whichever machine it is for; undefined when nothing is. */
export function addressFault(template: string): string | undefined {
  const fault = templateFault(template);
  if (fault !== undefined) return fault;
  if (!/^https?:\/\//.test(template)) return 'it has to begin with https:// or http://';
  // With one of these in it, it has to be an address: else it is none for any machine.
  const url = ['host', '1', '::1']
    .map((value) => URL.parse(withBrackets(template, () => value)))
    .find((one) => one !== null);
  if (url === undefined) return 'it is no URL';
  if (url.username !== '' || url.password !== '') return 'credentials stand in files, not in it';
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || /[?#\\]/.test(template)) {
    return 'it names a host and a port, without a path';
  }
  return undefined;
}

/** What is wrong with one of the patterns that say which hosts may be meant; undefined when nothing is. */
export function hostPatternFault(pattern: string): string | undefined {
  const { host, port } = partsOf(pattern);
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535)) return 'its port is none';
  const network = networkOf(host);
  if (network !== undefined) return network.fault;
  if (isIP(host) !== 0) return undefined;
  if (!/^[a-z0-9.*-]+$/i.test(host)) return 'it is neither a host name, nor an address, nor a network';
  // One that any name matches protects nobody.
  return /(?:^|[.])[*]*$/.test(host)
    ? 'its last part has to be a name; a network is written as 10.7.0.0/16'
    : undefined;
}

/**
 * The address of a device, for one machine. What is filled in ends up in the host, IPv6 addresses in brackets, and with `hosts` the
 * result has to match one of them: `bmc-7.example.com`, `*.bmc.example.com` (`*` stands for one part of a name, or for some of it),
 * `10.7.0.0/16`, `fd00:7::/64`, each with `:8443` behind it (an IPv6 address in brackets then) where another port is meant than the
 * template names, or the one that `https` and `http` have.
 *
 * @throws {@link TemplateError} when it can't be filled in for this machine, or comes to an address that is not allowed.
 */
export function deviceAddress(
  template: string,
  target: Pick<FenceTarget, 'name' | 'uid' | 'noted'>,
  hosts?: readonly string[],
): URL {
  const fault = addressFault(template);
  if (fault !== undefined) throw new TemplateError(fault);
  const text = withBrackets(template, (inside) => fillIn(inside, target, 'host'));
  const url = URL.parse(text);
  if (url === null || url.hostname === '' || url.pathname !== '/' || url.username !== '') {
    throw new TemplateError(`the address for ${target.name} is no URL: ${text}`);
  }
  if (hosts !== undefined && !hosts.some((pattern) => allows(pattern, url, fixedPort(template)))) {
    throw new TemplateError(
      `the address for ${target.name} is none of the hosts that may be meant: ${url.host}`,
    );
  }
  return url;
}

/** Each placeholder by itself, so that an IPv6 address that comes without brackets gets them. */
function withBrackets(template: string, filling: (placeholder: string) => string): string {
  return template.replaceAll(
    /(\[?)([{][^{}]*[}])(\]?)/g,
    (_, open: string, inside: string, close: string) => {
      const value = filling(inside);
      const bare = value.startsWith('[') && value.endsWith(']') ? value.slice(1, -1) : value;
      return isIPv6(bare) ? `[${bare}]` : `${open}${value}${close}`;
    },
  );
}

/** The port that the operator wrote; empty where there is none, and the scheme's own is meant. */
function fixedPort(template: string): string {
  return /:(\d+)\/?$/.exec(template)?.[1] ?? '';
}

function allows(pattern: string, url: URL, fixed: string): boolean {
  const { host, port = fixed } = partsOf(pattern);
  const found = url.hostname.replace(/^\[|\]$/g, '');
  const defaults: Readonly<Record<string, string>> = { 'https:': '443', 'http:': '80' };
  const schemes = defaults[url.protocol] ?? '';
  if ((port || schemes) !== (url.port || schemes)) return false;
  const network = networkOf(host);
  const family = isIP(found) === 6 ? 'ipv6' : 'ipv4';
  if (network !== undefined) return isIP(found) !== 0 && network.list.check(found, family);
  if (isIP(host) !== 0) {
    const list = new BlockList();
    list.addAddress(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
    return isIP(found) !== 0 && list.check(found, family);
  }
  const expression = host.toLowerCase().replaceAll('.', '[.]').replaceAll('*', '[a-z0-9-]+');
  return new RegExp(`^${expression}$`).test(found.toLowerCase());
}

function partsOf(pattern: string): { readonly host: string; readonly port?: string } {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(pattern);
  const [, host = pattern, port] = bracketed ?? /^([^:]*):(\d+)$/.exec(pattern) ?? [];
  return { host, ...(port !== undefined && { port }) };
}

function networkOf(host: string): { readonly list: BlockList; readonly fault?: string } | undefined {
  const [, address = '', bits = ''] = /^([^/]*)\/(\d{1,3})$/.exec(host) ?? [];
  if (bits === '') return undefined;
  const list = new BlockList();
  const family = isIP(address);
  if (family === 0 || Number(bits) > (family === 6 ? 128 : 32)) return { list, fault: 'it is no network' };
  if (Number(bits) === 0) return { list, fault: 'every host would match' };
  list.addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
  return { list };
}
