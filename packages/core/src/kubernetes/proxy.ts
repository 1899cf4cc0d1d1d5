// Which proxy leads to a server, as Go programs find it: kubectl and this must take the same way from the same machine.
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { expectProxyUrl } from './kube-config-rules.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for `server`, or undefined: what the cluster's `proxy-url` says, or else `HTTPS_PROXY` (`HTTP_PROXY` for a
 * server without TLS), unless `NO_PROXY` excepts the server. What is on this machine is always excepted from these.
 *
 * undici has an agent for this, too, but it knows no ranges of addresses in `NO_PROXY`, and those are what API servers
 * are excepted by.
 *
 * @throws KubeConfigError when it is no URL of a proxy.
 */
export function proxyFor(server: URL, proxyUrl: string | undefined, env: Environment): string | undefined {
  if (proxyUrl) return proxyUrl;
  const names = server.protocol === 'https:' ? ['HTTPS_PROXY', 'https_proxy'] : ['HTTP_PROXY', 'http_proxy'];
  const name = names.find((candidate) => env[candidate]);
  const value = name === undefined ? undefined : env[name];
  if (name === undefined || value === undefined || isExcepted(server, env)) return undefined;
  // "proxy:3128" means http, and is a URL of scheme "proxy" by its looks.
  const text = /^[a-z][a-z\d+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  return expectProxyUrl(text, name).href;
}

function isExcepted(server: URL, env: Environment): boolean {
  const host = server.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = server.port || (server.protocol === 'https:' ? '443' : '80');
  if (host === 'localhost' || isLoopback(host)) return true;
  const list = env['NO_PROXY'] || env['no_proxy'] || '';
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(entry, host, port));
}

function isLoopback(host: string): boolean {
  if (isIPv4(host)) return host.startsWith('127.');
  return isIPv6(host) && new URL(`http://[${host}]`).hostname === '[::1]';
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const range = /^(.+)\/(\d{1,3})$/.exec(entry);
  if (range !== null) return isInRange(host, range[1] ?? '', Number(range[2]));
  const { name, port: entryPort } = splitPort(entry);
  if (entryPort !== undefined && entryPort !== port) return false;
  if (isIP(name) !== 0) return isIP(host) !== 0 && isInRange(host, name, isIPv4(name) ? 32 : 128);
  // A range of names excepts no address, whatever it is called in DNS.
  if (name === '' || isIP(host) !== 0) return false;
  const suffix = name.replace(/^\*(?=\.)/, '');
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`);
}

function isInRange(host: string, network: string, prefix: number): boolean {
  if (isIP(host) === 0 || isIP(network) === 0) return false;
  const list = new BlockList();
  const family = (address: string): 'ipv4' | 'ipv6' => (isIPv4(address) ? 'ipv4' : 'ipv6');
  try {
    list.addSubnet(network, prefix, family(network));
  } catch {
    // "10.0.0.0/99" excepts nothing.
    return false;
  }
  return list.check(host, family(host));
}

/** `host`, `host:443`, `[fd00::1]:443`, `fd00::1`. */
function splitPort(entry: string): { name: string; port?: string } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry);
  const plain = /^([^:]*):(\d+)$/.exec(entry);
  const [, name = entry, port] = bracketed ?? plain ?? [];
  return port === undefined ? { name } : { name, port };
}
