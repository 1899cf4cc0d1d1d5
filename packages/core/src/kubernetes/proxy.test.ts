import { describe, expect, test } from 'vitest';
import { proxyFor } from './proxy.ts';

const proxy = 'http://proxy.example:3128';
const found = (server: string, env: Record<string, string>, proxyUrl?: string): string | undefined =>
  proxyFor(new URL(server), proxyUrl, env);

describe('the proxy for a server', () => {
  test("is the cluster's own, else the environment's by the server's scheme, upper case first", () => {
    const env = { HTTPS_PROXY: 'http://s:1', https_proxy: 'http://no:1', HTTP_PROXY: 'http://p:1' };
    expect(found('https://api.example', env, proxy)).toBe(proxy);
    expect(found('https://api.example', env)).toBe('http://s:1/');
    expect(found('https://api.example', { https_proxy: 'socks5://s:1' })).toBe('socks5://s:1');
    expect(found('http://api.example', env)).toBe('http://p:1/');
    expect(found('https://api.example', { HTTP_PROXY: 'http://p:1' })).toBeUndefined();
    expect(found('https://api.example', { HTTPS_PROXY: '' })).toBeUndefined();
    expect(found('https://api.example', {})).toBeUndefined();
  });

  test('may be named without a scheme, and then speaks http', () => {
    expect(found('https://api.example', { HTTPS_PROXY: 'proxy.example:3128' })).toBe(`${proxy}/`);
  });

  test.each(['https://localhost:6443', 'https://127.0.0.1:6443', 'https://127.9.9.9', 'https://[::1]:6443'])(
    'is never one from the environment for %s, which is this machine',
    (server) => {
      expect(found(server, { HTTPS_PROXY: proxy })).toBeUndefined();
      expect(found(server, {}, proxy)).toBe(proxy);
    },
  );

  test.each([
    ['https://api.example:6443', '*', true],
    ['https://api.example:6443', 'api.example', true],
    ['https://api.example:6443', 'API.Example', true],
    ['https://api.example:6443', 'example', true],
    ['https://api.example:6443', '.example', true],
    ['https://api.example:6443', '*.example', true],
    ['https://api.example:6443', 'ample', false],
    ['https://example', '.example', false],
    ['https://api.example:6443', 'api.example:6443', true],
    ['https://api.example:6443', 'api.example:443', false],
    ['https://api.example', 'api.example:443', true],
    ['https://api.example:6443', 'other, api.example ,x', true],
    ['https://api.example:6443', ',', false],
    ['https://10.1.2.3:6443', '10.1.2.3', true],
    ['https://10.1.2.3:6443', '10.1.2.3:6443', true],
    ['https://10.1.2.3:6443', '10.1.2.3:443', false],
    ['https://10.1.2.3:6443', '10.1.0.0/16', true],
    ['https://10.2.2.3:6443', '10.1.0.0/16', false],
    ['https://10.1.2.3:6443', '10.1.0.0/99', false],
    ['https://10.1.2.3:6443', '.2.3', false],
    ['https://[fd00::1]:6443', 'fd00::/8', true],
    ['https://[fd00::1]:6443', 'fd00::1', true],
    ['https://[fd00::1]:6443', '[fd00::1]:6443', true],
    ['https://[fd00::1]:6443', 'fe80::/10', false],
    ['https://api.example', '10.0.0.0/8', false],
  ])('for %s with NO_PROXY=%s is left out: %s', (server, noProxy, leftOut) => {
    const expected = leftOut ? undefined : `${proxy}/`;
    expect(found(server, { HTTPS_PROXY: proxy, NO_PROXY: noProxy })).toBe(expected);
    expect(found(server, { HTTPS_PROXY: proxy, no_proxy: noProxy })).toBe(expected);
  });

  test('that is no proxy is named by its variable, without its password', () => {
    const failure = (): unknown => found('https://api.example', { HTTPS_PROXY: 'ftp://me:s3cret@proxy' });
    expect(failure).toThrow('expected HTTPS_PROXY to be an http, https or socks5 URL');
    expect(failure).not.toThrow('s3cret');
  });
});
